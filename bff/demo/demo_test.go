package demo

import (
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"minidouyin/bff/media"
)

// Every file of the demo passes the checks that uploads pass, without ffmpeg too, and all of them are small.
func TestFiles(t *testing.T) {
	m, err := media.Open(t.Context(), media.Config{Dir: t.TempDir(), FFmpeg: "-", FFprobe: "-", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	err = fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		total += len(content)
		var staged *media.Staged
		if strings.HasSuffix(path, ".mp4") {
			cover, noCover := files.ReadFile(strings.TrimSuffix(path, ".mp4") + ".jpg")
			if noCover != nil {
				return noCover
			}
			staged, err = m.StageVideo(context.Background(), bytes.NewReader(content), "title", bytes.NewReader(cover))
		} else {
			staged, err = m.StagePicture(context.Background(), bytes.NewReader(content))
		}
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return nil
		}
		staged.Discard()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if total > 2_500_000 {
		t.Errorf("the files have %d bytes", total)
	}
}

// The story keeps the rules of the product: lengths, nobody follows themselves, nobody likes or follows twice.
func TestStory(t *testing.T) {
	length := func(text string, most int) {
		if n := utf8.RuneCountInString(text); n < 1 || n > most || strings.TrimSpace(text) != text {
			t.Errorf("%q has %d characters, allowed are %d", text, n, most)
		}
	}
	once := func(what string, who []int) {
		sorted := slices.Clone(who)
		slices.Sort(sorted)
		if len(slices.Compact(sorted)) != len(who) {
			t.Errorf("%s: somebody twice in %v", what, who)
		}
	}
	for i, p := range people {
		length(p.name, 32)
		once(p.name, p.follows)
		if slices.Contains(p.follows, i) {
			t.Errorf("%s follows themselves", p.name)
		}
	}
	for _, c := range clips {
		length(c.title, 50)
		once(c.title, c.likedBy)
		for _, l := range c.comments {
			length(l.text, 256)
		}
	}
	for _, c := range chats {
		for _, l := range c.lines {
			length(l.text, 256)
			if l.from != c.a && l.from != c.b {
				t.Errorf("%q is said by somebody else", l.text)
			}
		}
	}
}

package bff_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"minidouyin/idl/kitex_gen/basics"
)

// What is no video, or breaks the rules, is refused with a clear message and leaves nothing behind: no row, no file.
func TestPublishRefuses(t *testing.T) {
	s := newSite(t)
	_, token := s.register(t, "ann")
	video := sampleVideo(t)
	for _, c := range []struct {
		name   string
		send   func(t *testing.T) answer
		status int
		code   string
	}{
		{"text with the name of a video", func(t *testing.T) answer { return s.upload(t, token, "x", []byte("hello, this is no video")) }, 200, "2"},
		{"nothing", func(t *testing.T) answer { return s.upload(t, token, "x", nil) }, 200, "2"},
		{"a video that is cut off", func(t *testing.T) answer { return s.upload(t, token, "x", video[:len(video)/2]) }, 200, "2"},
		{"over the limit", func(t *testing.T) answer { return s.upload(t, token, "x", make([]byte, 5<<20)) }, 413, "7"},
		{"a title of 51 characters", func(t *testing.T) answer { return s.upload(t, token, strings.Repeat("抖", 51), video) }, 200, "2"},
		{"no title", func(t *testing.T) answer { return s.upload(t, token, "", video) }, 200, "2"},
		{"a visitor", func(t *testing.T) answer { return s.upload(t, "", "x", video) }, 200, "3"},
		{"a token that is not valid", func(t *testing.T) answer { return s.upload(t, "abc", "x", video) }, 200, "3"},
		{"a form that breaks off", func(t *testing.T) answer {
			body, contentType := publishForm(token, "x", video)
			return s.post(t, contentType, io.LimitReader(body, int64(len(video)/2)))
		}, 200, "2"},
		{"a form without a boundary", func(t *testing.T) answer { return s.post(t, "multipart/form-data", strings.NewReader("x")) }, 200, "2"},
		{"JSON", func(t *testing.T) answer { return s.post(t, "application/json", strings.NewReader(`{"title":"x"}`)) }, 200, "2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := c.send(t)
			require.Equal(t, c.status, a.status, a.text)
			require.Equal(t, json.Number(c.code), a.json["status_code"], a.text)
			require.NotEmpty(t, a.json["status_msg"])
			require.Empty(t, s.files(t))
		})
	}
	require.Empty(t, s.ok(t, "GET", "/douyin/feed/")["video_list"])
	// What was reserved on the way is the sweeper's to strike out; nothing else is left.
	removals, err := s.ground.Basics.ListRemovals(context.Background(), &basics.ListRemovalsRequest{Limit: 100, IncludeReserved: true})
	require.NoError(t, err)
	for _, removal := range removals.Removals {
		require.NotEmpty(t, removal.FileKey)
	}
}

func (s *site) post(tb testing.TB, contentType string, body io.Reader) answer {
	tb.Helper()
	r, err := http.NewRequest("POST", s.url+"/douyin/publish/action/", body)
	require.NoError(tb, err)
	r.Header.Set("Content-Type", contentType)
	return s.do(tb, r)
}

// A JSON route does not read a body without end.
func TestLargeBody(t *testing.T) {
	s := newSite(t)
	for path, contentType := range map[string]string{
		"/douyin/favorite/action/": "application/x-www-form-urlencoded", "/graphql": "application/json"} {
		for _, announced := range []bool{true, false} {
			var body io.Reader = bytes.NewReader(bytes.Repeat([]byte("a"), 100<<20))
			if !announced {
				body = struct{ io.Reader }{body}
			}
			r, err := http.NewRequest("POST", s.url+path, body)
			require.NoError(t, err)
			r.Header.Set("Content-Type", contentType)
			response, err := http.DefaultClient.Do(r)
			if err != nil { // the connection is closed while the rest of the body is being sent
				continue
			}
			_ = response.Body.Close()
			require.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode)
		}
	}
}

// A document over the limit is refused as such, whether or not its length is announced.
func TestLargeDocument(t *testing.T) {
	s := newSite(t)
	document := []byte(`{"query": "{ __typename }", "variables": {"x": "` + strings.Repeat("a", 1<<20) + `"}}`)
	for name, body := range map[string]io.Reader{
		"announced": bytes.NewReader(document), "not announced": io.MultiReader(bytes.NewReader(document))} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequest("POST", s.url+"/graphql", body)
			require.NoError(t, err)
			r.Header.Set("Content-Type", "application/json")
			a := s.do(t, r)
			require.Equal(t, http.StatusRequestEntityTooLarge, a.status, a.text)
			require.Contains(t, a.text, `"code":"TOO_LARGE"`)
		})
	}
}

// The graph takes files as the GraphQL multipart request specification says.
func TestGraphQLUpload(t *testing.T) {
	s := newSite(t)
	_, token := s.register(t, "ann")
	const publish = `mutation($file: Upload!) { publishVideo(input: {title: \"mine\", file: $file}) { video { title playUrl author { name videoCount } } } }`
	operations := `{"query": "` + publish + `", "variables": {"file": null}}`

	a := s.form(t, token, "operations", operations, "map", `{"0": ["variables.file"]}`, "0", string(sampleVideo(t)))
	require.Equal(t, 200, a.status, a.text)
	require.Regexp(t, `^{"data":{"publishVideo":{"video":{"title":"mine","playUrl":"http.*mp4","author":{"name":"ann","videoCount":1}}}}}`, a.text)
	kept := len(s.files(t))
	require.Equal(t, 2, kept)

	const avatar = `mutation($a: Upload) { updateProfile(input: {avatar: $a}) { user { avatarUrl } } }`
	picture := s.rest(t, "GET", "/media/default/background.jpg").text
	a = s.form(t, token, "operations", `{"query": "`+avatar+`", "variables": {"a": null}}`, "map", `{"0": ["variables.a"]}`, "0", picture)
	require.Contains(t, a.text, "/media/pictures/")
	kept++

	const both = `mutation($a: Upload) { updateProfile(input: {avatar: $a, background: $a}) { user { avatarUrl backgroundUrl } } }`
	a = s.form(t, token, "operations", `{"query": "`+both+`", "variables": {"a": null}}`, "map", `{"0": ["variables.a"]}`, "0", picture)
	require.NotContains(t, a.text, "errors")
	require.Equal(t, 2, strings.Count(a.text, "/media/pictures/"), a.text)
	kept += 2 // the sweeper, which does not run here, removes the former avatar

	for name, parts := range map[string][]string{
		"a file that is no video":     {"operations", operations, "map", `{"0": ["variables.file"]}`, "0", "hello"},
		"files before operations":     {"0", "hello", "operations", operations, "map", `{"0": ["variables.file"]}`},
		"a map that fits nothing":     {"operations", operations, "map", `{"0": ["variables.other.thing"]}`, "0", "hello"},
		"a map into a text":           {"operations", strings.Replace(operations, "null", `"x"`, 1), "map", `{"0": ["variables.file.x"]}`, "0", "hello"},
		"a map behind a list":         {"operations", strings.Replace(operations, "null", "[null]", 1), "map", `{"0": ["variables.file.1"]}`, "0", "hello"},
		"a map without variables":     {"operations", `{"query": "{ __typename }"}`, "map", `{"0": ["variables.file"]}`, "0", "hello"},
		"a text in place of the file": {"operations", strings.Replace(operations, "null", `"x"`, 1), "map", `{}`},
		"a file that is not sent":     {"operations", operations, "map", `{"0": ["variables.file"]}`},
		"too many files":              {"operations", operations, "map", `{"0":["a"],"1":["a"],"2":["a"],"3":["a"],"4":["a"]}`},
		"operations that are no JSON": {"operations", "hello", "map", `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.form(t, token, parts...)
			require.Contains(t, a.text, `"code":"`, a.text)
			require.NotContains(t, a.text, "INTERNAL", a.text)
			require.Less(t, a.status, 500, a.text)
			require.Len(t, s.files(t), kept)
		})
	}
}

// form posts a multipart form to the graph: pairs of name and content, those with a one-letter name as files.
func (s *site) form(tb testing.TB, token string, parts ...string) answer {
	tb.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i < len(parts); i += 2 {
		var part io.Writer
		var err error
		if len(parts[i]) == 1 {
			part, err = form.CreateFormFile(parts[i], "file")
		} else {
			part, err = form.CreateFormField(parts[i])
		}
		require.NoError(tb, err)
		_, err = io.WriteString(part, parts[i+1])
		require.NoError(tb, err)
	}
	require.NoError(tb, form.Close())
	r, err := http.NewRequest("POST", s.url+"/graphql", &body)
	require.NoError(tb, err)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Authorization", "Bearer "+token)
	return s.do(tb, r)
}

// The client's own cover stands beside the video, made anew as pictures are. A cover that is none refuses the video
// too, and nothing of either is left.
func TestGraphQLCover(t *testing.T) {
	s := newSite(t)
	_, token := s.register(t, "ann")
	const publish = `mutation($file: Upload!, $cover: Upload) { publishVideo(input: {title: \"mine\", file: $file, cover: $cover}) { video { coverUrl } } }`
	operations := `{"query": "` + publish + `", "variables": {"file": null, "cover": null}}`
	const places = `{"0": ["variables.file"], "1": ["variables.cover"]}`
	video, picture := string(sampleVideo(t)), s.rest(t, "GET", "/media/default/background.jpg").text
	for name, c := range map[string]struct {
		parts []string
		says  string
	}{
		"a text":               {[]string{"map", places, "0", video, "1", "hello"}, "the file is not a JPEG, PNG or WebP picture"},
		"nothing":              {[]string{"map", places, "0", video, "1", ""}, "the file is empty"},
		"a picture cut off":    {[]string{"map", places, "0", video, "1", picture[:len(picture)/2]}, "the picture is damaged"},
		"the video itself":     {[]string{"map", `{"0": ["variables.file", "variables.cover"]}`, "0", video}, "the file is not a JPEG, PNG or WebP picture"},
		"over 5 MiB":           {[]string{"map", places, "0", video, "1", picture + strings.Repeat("x", 5<<20)}, "TOO_LARGE"},
		"over the limit":       {[]string{"map", places, "0", video, "1", strings.Repeat("x", 5<<20)}, "TOO_LARGE"},
		"not sent":             {[]string{"map", places, "0", video}, "a file of the map is missing"},
		"beside no video":      {[]string{"map", places, "0", "hello", "1", picture}, "INVALID_ARGUMENT"},
		"in place of no video": {[]string{"map", `{"1": ["variables.cover"]}`, "1", picture}, "errors"},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.form(t, token, append([]string{"operations", operations}, c.parts...)...)
			require.Contains(t, a.text, c.says)
			require.NotContains(t, a.text, "INTERNAL")
			require.Empty(t, s.files(t))
		})
	}

	size := func(parts ...string) image.Point {
		a := s.form(t, token, append([]string{"operations", operations}, parts...)...)
		require.NotContains(t, a.text, "errors")
		url := regexp.MustCompile(`http[^"]*jpg`).FindString(a.text)
		cover := s.rest(t, "GET", strings.TrimPrefix(url, s.url)).text
		require.NotEqual(t, picture, cover, "it is made anew")
		decoded, err := jpeg.DecodeConfig(strings.NewReader(cover))
		require.NoError(t, err)
		return image.Pt(decoded.Width, decoded.Height)
	}
	given, err := jpeg.DecodeConfig(strings.NewReader(picture))
	require.NoError(t, err)
	wide := size("map", places, "0", video, "1", picture)
	require.InDelta(t, float64(given.Width)/float64(given.Height), float64(wide.X)/float64(wide.Y), 0.02)
	drawn := size("map", `{"0": ["variables.file"]}`, "0", video)
	require.NotEqual(t, wide, drawn, "without a cover one is made")
	require.Len(t, s.files(t), 4)
}

// A video of 1 GiB passes through the process without being held in its memory, also when its length is not announced
// and its index has to be moved to the front; and so does one that comes over the graph.
func TestUploadMemory(t *testing.T) {
	t.Run("REST", func(t *testing.T) {
		p := newProduct(t, "one process", "", "--max-upload=2GiB")
		_, token := p.register(t, "ann")
		grown := p.uploadLarge(t, 1<<30, "/douyin/publish/action/", "", "token", token, "title", "large", "data")
		require.Less(t, grown, int64(100<<20))
	})
	t.Run("GraphQL", func(t *testing.T) {
		p := newProduct(t, "one process", "", "--max-upload=2GiB")
		_, token := p.register(t, "ann")
		grown := p.uploadLarge(t, 150<<20, "/graphql", token, "operations", `{"query": "mutation($f: Upload!) { publishVideo(input: {title: \"large\", file: $f}) { video { title } } }", "variables": {"f": null}}`,
			"map", `{"0": ["variables.f"]}`, "0")
		require.Less(t, grown, int64(32<<20))
	})
}

// uploadLarge publishes a video that is padded to more than size bytes, without announcing its length, and returns by
// how many bytes that has grown the process. The fields of the form are pairs of name and value, and then the name of
// the file.
func (p *product) uploadLarge(t *testing.T, size int64, path, token string, fields ...string) (grown int64) {
	t.Helper()
	p.stop(t) // hashing the password of the account has taken memory that could be used again
	p.startAll(t)
	before := p.memory(t, "VmRSS")
	padding := make([]byte, 16) // the head of a box that players skip
	binary.BigEndian.PutUint32(padding, 1)
	copy(padding[4:], "free")
	binary.BigEndian.PutUint64(padding[8:], uint64(size))
	var head bytes.Buffer
	form := multipart.NewWriter(&head)
	for i := 0; i+1 < len(fields); i += 2 {
		require.NoError(t, form.WriteField(fields[i], fields[i+1]))
	}
	_, err := form.CreateFormFile(fields[len(fields)-1], "large.mp4")
	require.NoError(t, err)
	r, err := http.NewRequest("POST", p.url+path, io.MultiReader(&head, bytes.NewReader(sampleVideo(t)),
		bytes.NewReader(padding), io.LimitReader(zeros{}, size-16), strings.NewReader("\r\n--"+form.Boundary()+"--\r\n")))
	require.NoError(t, err)
	r.Header.Set("Content-Type", form.FormDataContentType())
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	a := p.do(t, r)
	require.Equal(t, 200, a.status, a.text)
	grown = p.memory(t, "VmHWM") - before
	t.Logf("%d MiB grew the process from %d by %d MiB", size>>20, before>>20, grown>>20)

	listed := p.ok(t, "GET", "/douyin/feed/")["video_list"].([]any)[0].(map[string]any)
	response, err := http.Head(listed["play_url"].(string))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.GreaterOrEqual(t, response.ContentLength, size, a.text)
	return grown
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// memory returns what the process occupies, in bytes.
func (p *product) memory(t *testing.T, field string) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.processes[0].Process.Pid))
	if os.IsNotExist(err) { // no Linux: ask for the present size
		return p.memoryByPS(t)
	}
	require.NoError(t, err)
	match := regexp.MustCompile(field + `:\s+(\d+) kB`).FindSubmatch(status)
	require.NotNil(t, match)
	n, err := strconv.ParseInt(string(match[1]), 10, 64)
	require.NoError(t, err)
	return n << 10
}

func (p *product) memoryByPS(t *testing.T) int64 {
	t.Helper()
	out, err := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(p.processes[0].Process.Pid)).Output()
	require.NoError(t, err)
	n, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	require.NoError(t, err)
	return n << 10
}

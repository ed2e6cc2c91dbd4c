package bff_test

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The REST routes over the real graph and services, one golden file for each route: a part "request" is a method, a
// path and perhaps a form, the part "answer" behind it is the body, with what differs from run to run replaced by its
// name. A world like this stands before each file: ann has published two videos, bob likes and comments the first;
// ann and bob follow each other and chat; cat has done nothing.
func TestREST(t *testing.T) {
	paths, err := filepath.Glob("testdata/rest/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		t.Run(name, func(t *testing.T) { compareREST(t, newSite(t), path, require.Equal) })
		t.Run(name+" on a cluster", func(t *testing.T) {
			compareREST(t, newProduct(t, onCluster, "", "--ffmpeg=-").site, path, equalOnCluster)
		})
	}
}

var userIDPattern = regexp.MustCompile(`"user_id":[1-9][0-9]*,"token"`)

// equalOnCluster compares answers but for the ids of new users: MySQL leaves out those of refused registrations.
func equalOnCluster(t require.TestingT, expected, actual any, message ...any) {
	mask := func(text any) string { return userIDPattern.ReplaceAllString(text.(string), `"user_id":<id>,"token"`) }
	require.Equal(t, mask(expected), mask(actual), message...)
}

func compareREST(t *testing.T, s *site, path string, equal require.ComparisonAssertionFunc) {
	names := smallWorld(t, s)
	golden, err := txtar.ParseFile(path)
	require.NoError(t, err)
	for i := 0; i < len(golden.Files); i += 2 {
		request := golden.Files[i]
		require.Less(t, i+1, len(golden.Files), "%s has no answer", request.Name)
		got := s.send(t, names.Replace(string(request.Data)))
		got = append(normalize(s, got), '\n')
		if *update {
			golden.Files[i+1].Data = got
		} else {
			equal(t, string(golden.Files[i+1].Data), string(got), "%s\n%s", request.Name, request.Data)
		}
	}
	if *update {
		require.NoError(t, os.WriteFile(path, txtar.Format(golden), 0o644))
	}
}

// smallWorld makes the world of the golden files and returns the replacer of its tokens, such as @ann.
func smallWorld(tb testing.TB, s *site) *strings.Replacer {
	tb.Helper()
	tokens := map[string]string{}
	var pairs []string
	for _, name := range []string{"ann", "bob", "cat"} {
		_, tokens[name] = s.register(tb, name)
		pairs = append(pairs, "@"+name, tokens[name])
	}
	s.publish(tb, tokens["ann"], "first video")
	s.publish(tb, tokens["ann"], "第二个视频")
	s.ok(tb, "POST", "/douyin/favorite/action/", "token", tokens["bob"], "video_id", "1", "action_type", "1")
	s.ok(tb, "POST", "/douyin/comment/action/", "token", tokens["bob"], "video_id", "1", "action_type", "1", "comment_text", "nice <3")
	s.ok(tb, "POST", "/douyin/relation/action/", "token", tokens["ann"], "to_user_id", "2", "action_type", "1")
	s.ok(tb, "POST", "/douyin/relation/action/", "token", tokens["bob"], "to_user_id", "1", "action_type", "1")
	s.ok(tb, "POST", "/douyin/message/action/", "token", tokens["ann"], "to_user_id", "2", "action_type", "1", "content", "hello bob")
	s.ok(tb, "POST", "/douyin/message/action/", "token", tokens["bob"], "to_user_id", "1", "action_type", "1", "content", "hello ann")
	return strings.NewReplacer(pairs...)
}

// send sends a request as the golden files write it and returns the answer's status, unless it is 200, and body.
func (s *site) send(tb testing.TB, text string) []byte {
	tb.Helper()
	head, form, hasForm := strings.Cut(strings.TrimSpace(text), "\n")
	method, target, ok := strings.Cut(head, " ")
	require.True(tb, ok, text)
	r, err := http.NewRequest(method, s.url+target, strings.NewReader(form))
	require.NoError(tb, err)
	if hasForm {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	a := s.do(tb, r)
	if a.status == http.StatusOK {
		return []byte(a.text)
	}
	return []byte(fmt.Sprintf("%d %s", a.status, a.text))
}

var (
	timePattern  = regexp.MustCompile(`"(next_time|create_time)":1[0-9]{12}`)
	datePattern  = regexp.MustCompile(`"create_date":"[0-9]{2}-[0-9]{2}"`)
	keyPattern   = regexp.MustCompile(`/media/(videos|covers)/[a-z0-9/]+\.`)
	tokenPattern = regexp.MustCompile(`"token":"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"`)
)

func normalize(s *site, body []byte) []byte {
	body = bytes.ReplaceAll(body, []byte(s.url), []byte("<url>"))
	body = timePattern.ReplaceAll(body, []byte(`"$1":<ms>`))
	body = datePattern.ReplaceAll(body, []byte(`"create_date":"<mm-dd>"`))
	body = keyPattern.ReplaceAll(body, []byte(`/media/$1/<key>.`))
	return tokenPattern.ReplaceAll(body, []byte(`"token":"<token>"`))
}

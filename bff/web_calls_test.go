package bff_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"minidouyin/bff/web"
)

var operationPattern = regexp.MustCompile(`(query|mutation|subscription) ([A-Z]\w*)`)

// webDocuments returns the hashes of the web client's operations by their names.
func webDocuments(tb testing.TB) (hashes map[string]string) {
	tb.Helper()
	var texts map[string]string
	require.NoError(tb, json.Unmarshal(web.Documents, &texts))
	hashes = map[string]string{}
	for hash, text := range texts {
		hashes[operationPattern.FindStringSubmatch(text)[2]] = hash
	}
	require.Len(tb, hashes, len(texts))
	return hashes
}

// asWeb returns a call of the web client as ann; the variables are filled like the values of asREST.
func asWeb(hash, variables string) func(testing.TB, *world) answer {
	return func(tb testing.TB, w *world) answer {
		tb.Helper()
		return w.named(tb, w.tokens["ann"], hash, w.fill(variables))
	}
}

// named runs a document by its id.
func (s *site) named(tb testing.TB, token, hash, variables string) answer {
	tb.Helper()
	r, err := http.NewRequest("POST", s.url+"/graphql", strings.NewReader(fmt.Sprintf(`{"documentId": %q, "variables": %s}`, hash, variables)))
	require.NoError(tb, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	a := s.do(tb, r)
	require.NotContains(tb, a.text, `"errors"`)
	require.Contains(tb, a.text, `"data"`)
	return a
}

// What each operation of the web client costs: the calls to the services, exactly, whatever the size of the page. An
// operation that is not here fails the test.
func TestCallsOfWebClient(t *testing.T) {
	hashes := webDocuments(t)
	type operation struct{ variables, calls string }
	operations := map[string]operation{
		"WhoAmI":        {`{}`, "BatchGetUsers 1"},
		"SignIn":        {`{"input": {"name": "ann", "password": "secret"}}`, "VerifyPassword 1"},
		"SignUp":        {`{"input": {"name": "web~", "password": "secret"}}`, "CreateUser 1"},
		"Feed":          {`{"first": 30, "signedIn": true}`, "BatchGetRelationStats 1, BatchGetUsers 1, BatchGetVideoStats 1, ListFeed 1"},
		"Watch":         {`{"id": "#0", "signedIn": true}`, "BatchGetRelationStats 1, BatchGetUsers 1, BatchGetVideoStats 1, BatchGetVideos 1"},
		"Like":          {`{"video": "#0"}`, "BatchGetVideoStats 1, BatchGetVideos 1, LikeVideo 1"},
		"Unlike":        {`{"video": "#0"}`, "BatchGetVideoStats 1, BatchGetVideos 1, UnlikeVideo 1"},
		"Comments":      {`{"video": "#0", "first": 20}`, "BatchGetUsers 1, BatchGetVideoStats 1, BatchGetVideos 1, ListComments 1"},
		"WriteComment":  {`{"video": "#0", "content": "hi"}`, "BatchGetUsers 1, BatchGetVideoStats 1, BatchGetVideos 1, CreateComment 1"},
		"RemoveComment": {`{"video": "#0", "comment": "%"}`, "BatchGetVideoStats 1, BatchGetVideos 1, DeleteComment 1"},
		"Follow":        {`{"user": "$bob"}`, "BatchGetRelationStats 1, BatchGetUsers 1, Follow 1"},
		"Unfollow":      {`{"user": "$bob"}`, "BatchGetRelationStats 1, BatchGetUsers 1, Unfollow 1"},
		"Following":     {`{"user": "$cat", "first": 30}`, "BatchGetRelationStats 1, BatchGetUsers 2, ListFollowing 1"},
		"Followers":     {`{"user": "$cat", "first": 30}`, "BatchGetRelationStats 1, BatchGetUsers 2, ListFollowers 1"},
		"ProfileOf":     {`{"user": "$cat"}`, "BatchGetRelationStats 1, BatchGetUserLikeStats 1, BatchGetUsers 1"},
		"Works":         {`{"user": "$cat", "first": 24}`, "BatchGetUsers 1, BatchGetVideoStats 1, ListUserVideos 1"},
		"Likes":         {`{"user": "$cat", "first": 24}`, "BatchGetUsers 1, BatchGetVideoStats 1, BatchGetVideos 1, ListLikedVideoIDs 1"},
		"UpdateProfile": {`{"input": {"signature": "hi ~"}}`, "BatchGetRelationStats 1, BatchGetUserLikeStats 1, UpdateProfile 1"},
		"Friends":       {`{"first": 50}`, "BatchGetUsers 2, ListFriends 1"},
		"PeerOf":        {`{"user": "$cat"}`, "BatchGetUsers 1"},
		"Conversation":  {`{"with": "$cat", "last": 30}`, "BatchGetUsers 1, ListMessages 1"},
		"SendMessage":   {`{"to": "$cat", "content": "hi"}`, "BatchGetUsers 1, SendMessage 1"},
		"Retitle":       {`{"video": "#0", "title": "better ~"}`, "UpdateVideo 1"},
		"RemoveVideo":   {`{"video": "%"}`, "DeleteVideo 1"},
		"Publish":       {``, "BatchGetRelationStats 1, BatchGetUsers 1, BatchGetVideoStats 1, CreateVideo 1, ReserveFiles 1"},

		// With the write that they tell of.
		"CountsOf":        {`{"videos": ["#0", "2", "3"]}`, "BatchGetVideoStats 1, BatchGetVideos 2, CreateComment 1"},
		"MessageReceived": {`{}`, "BatchGetUsers 2, ListReceivedMessages 1, SendMessage 1"},
		"NewVideos":       {`{}`, "BatchGetUsers 1, BatchGetVideos 1, CreateVideo 1, ReserveFiles 1"},
	}
	require.Equal(t, slices.Sorted(maps.Keys(hashes)), slices.Sorted(maps.Keys(operations)))

	for _, videos := range []int{5, 35} {
		w := newWorld(t, videos, nil)
		for _, name := range slices.Sorted(maps.Keys(operations)) {
			operation, hash := operations[name], hashes[name]
			run := asWeb(hash, operation.variables)
			switch name {
			case "Publish":
				run = func(tb testing.TB, w *world) answer {
					return w.form(tb, w.tokens["ann"], "operations", fmt.Sprintf(
						`{"documentId": %q, "variables": {"signedIn": true, "input": {"title": "mine", "file": null, "cover": null}}}`, hash),
						"map", `{"0": ["variables.input.file"], "1": ["variables.input.cover"]}`,
						"0", string(sampleVideo(tb)), "1", w.rest(tb, "GET", "/media/default/background.jpg").text)
				}
			case "RemoveComment":
				run = func(tb testing.TB, w *world) answer {
					a := w.graphql(tb, w.tokens["ann"], w.fill(`mutation { createComment(input: {videoId: "#0", content: "hm"}) { comment { id } } }`), nil)
					w.calls.take()
					id := regexp.MustCompile(`"id":"([^"]+)"`).FindStringSubmatch(a.text)[1]
					return w.named(tb, w.tokens["ann"], hash, w.fill(fmt.Sprintf(`{"video": "#0", "comment": %q}`, id)))
				}
			case "RemoveVideo":
				run = func(tb testing.TB, w *world) answer {
					id := w.publish(tb, w.tokens["ann"], "soon gone")
					w.calls.take()
					return w.named(tb, w.tokens["ann"], hash, fmt.Sprintf(`{"video": %q}`, id))
				}
			case "CountsOf":
				run = told(hash, operation.variables, asGraphQLOf("bob", `mutation { createComment(input: {videoId: "#0", content: "hm"}) { __typename } }`), 3)
			case "MessageReceived":
				run = told(hash, operation.variables, asGraphQLOf("bob", `mutation { sendMessage(input: {userId: "$ann", content: "hm"}) { __typename } }`), 0)
			case "NewVideos":
				run = told(hash, operation.variables, func(tb testing.TB, w *world) answer {
					return w.upload(tb, w.tokens["cat"], "new", sampleVideo(tb))
				}, 0)
			}
			t.Run(fmt.Sprintf("%d videos/%s", videos, name), func(t *testing.T) {
				for _, procs := range []int{1, 2} {
					w.runs++
					func() {
						defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
						w.calls.take()
						run(t, w)
						calls := text(w.calls.take())
						// Counts that were told are read once more, which may be within this and only adds to it.
						for again := 0; name == "CountsOf" && calls != operation.calls && again < 20; again++ {
							run(t, w)
							calls = text(w.calls.take())
						}
						require.Equal(t, operation.calls, calls)
					}()
				}
			})
		}
	}
}

// asGraphQLOf returns a call of the graph as somebody.
func asGraphQLOf(name, document string) func(testing.TB, *world) answer {
	return func(tb testing.TB, w *world) answer {
		tb.Helper()
		a := w.graphql(tb, w.tokens[name], w.fill(document), nil)
		require.NotContains(tb, a.text, `"errors"`)
		return a
	}
}

// told returns what a subscription of ann's costs: a write and the event that tells of it. first is how many events
// come before.
func told(hash, variables string, write func(testing.TB, *world) answer, first int) func(testing.TB, *world) answer {
	return func(tb testing.TB, w *world) answer {
		tb.Helper()
		socket := w.connect(tb, w.tokens["ann"])
		payload := json.RawMessage(fmt.Sprintf(`{"documentId": %q, "variables": %s}`, hash, w.fill(variables)))
		socket.send(frame{ID: "1", Type: "subscribe", Payload: payload})
		w.listening(tb, 1)
		for range first {
			socket.event()
		}
		if first == 0 { // it says nothing when it is ready: another event comes before the one that counts
			write(tb, w)
			socket.event()
		}
		w.calls.take()
		a := write(tb, w)
		socket.event()
		defer w.listening(tb, 0)
		socket.send(frame{ID: "1", Type: "complete"})
		return a
	}
}

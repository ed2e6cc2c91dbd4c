package compat_test

import (
	"bytes"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
)

// FuzzBind sends any request to any route. The response always has status_code and status_msg, and every stored file is
// released.
func FuzzBind(f *testing.F) {
	for route := range routes {
		f.Add(byte(route), "token=token-7&user_id=1e0&video_id=5&to_user_id=8&action_type=1", "", urlencoded,
			[]byte("username=a&password=b&comment_text=c&comment_id=3&content=d"))
	}
	f.Add(byte(4), "title=a", "Bearer token-7", formData, []byte(file("data", "video")+field("token", "token-8")+"--B--"))
	f.Add(byte(4), "", "bearer", formData, []byte(field("title", "\xff")+file("data", "video")))
	f.Add(byte(4), "token=token-7", "", "multipart/form-data", []byte("--\r\n\r\n"))
	f.Add(byte(0), "latest_time=%zz;", "Basic x", "application/json; charset", []byte("{}"))
	f.Add(byte(14), "token=token-7&to_user_id=-1&pre_msg_time=1e400", "", "", []byte{})

	graph := &fakeGraph{t: f, response: `{"data":null}`}
	open := 0
	graph.store = func(r io.Reader, _, _ string) (graphql.Upload, func(), error) {
		content, err := io.ReadAll(r)
		if err != nil {
			return graphql.Upload{}, nil, err
		}
		open++
		return graphql.Upload{File: bytes.NewReader(content)}, func() { open-- }, nil
	}
	server := newServer(f, graph)
	f.Fuzz(func(t *testing.T, route byte, query, authorization, contentType string, body []byte) {
		graph.t, graph.called = t, ""
		target := routes[int(route)%len(routes)]
		request := httptest.NewRequest(target.method, target.path, bytes.NewReader(body))
		request.URL.RawQuery = query
		request.Header.Set("Authorization", authorization)
		request.Header.Set("Content-Type", contentType)
		answer := do(t, server, request)
		if answer.status == 1 || answer.Code >= 500 || !strings.HasPrefix(answer.Body.String(), `{"status_code":`) {
			t.Errorf("answered %d %s", answer.Code, answer.Body)
		}
		if open != 0 {
			t.Errorf("%d files left behind", open)
		}
	})
}

package compat_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

const (
	like    = "/douyin/favorite/action/?token=token-7&action_type=1&video_id=5"
	publish = "/douyin/publish/action/?token=token-7&title=cat"

	urlencoded = "application/x-www-form-urlencoded"
	formData   = "multipart/form-data; boundary=B"

	done = `{"data":{"_":{"__typename":"Payload"}}}`
)

func field(name, text string) string {
	return "--B\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + text + "\r\n"
}

func file(name, text string) string {
	return "--B\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"x\"\r\n\r\n" + text + "\r\n"
}

// The body of every request is limited. Only the file of a route that takes one does not count.
func TestBodyLimits(t *testing.T) {
	const mib = 1 << 20
	fill := func(n int) string { return strings.Repeat("x", n) }
	for name, test := range map[string]struct {
		path, contentType, body string
		status                  int
	}{
		"form of 1 MiB":          {like, urlencoded, "x=" + fill(mib-2), 200},
		"form over 1 MiB":        {like, urlencoded, "x=" + fill(mib-1), 413},
		"JSON of 1 MiB":          {like, "application/json", fill(mib), 200},
		"JSON over 1 MiB":        {like, "application/json", fill(mib + 1), 413},
		"no type over 1 MiB":     {like, "", fill(mib + 1), 413},
		"form with GET":          {"/douyin/feed/", urlencoded, fill(mib + 1), 413},
		"fields under 1 MiB":     {like, formData, field("x", fill(mib-200)) + "--B--", 200},
		"fields over 1 MiB":      {like, formData, field("x", fill(mib/2)) + field("y", fill(mib/2)) + "--B--", 413},
		"files that none takes":  {like, formData, file("data", fill(mib)) + "--B--", 413},
		"file of 3 MiB":          {publish, formData, file("data", fill(3*mib)) + "--B--", 200},
		"file of another name":   {publish, formData, file("other", fill(mib)) + file("data", "x") + "--B--", 413},
		"fields beside a file":   {publish, formData, file("data", fill(mib)) + field("x", fill(mib)) + "--B--", 413},
		"header of a part":       {publish, formData, file("data\"; x=\""+fill(mib), "") + "--B--", 413},
		"100 parts":              {like, formData, strings.Repeat(field("x", "y"), 100) + "--B--", 200},
		"101 parts":              {like, formData, strings.Repeat(field("x", "y"), 101) + "--B--", 413},
		"101 parts and the file": {publish, formData, file("data", "x") + strings.Repeat(field("x", "y"), 100) + "--B--", 413},
	} {
		t.Run(name, func(t *testing.T) {
			graph := &fakeGraph{t: t, response: done}
			method := "POST"
			if test.path == "/douyin/feed/" {
				method = "GET"
			}
			request := httptest.NewRequest(method, test.path, strings.NewReader(test.body))
			request.Header.Set("Content-Type", test.contentType)
			answer := do(t, newServer(t, graph), request)
			if answer.Code != test.status || (answer.status == 7) != (test.status == 413) {
				t.Errorf("answered %d %s", answer.Code, answer.Body)
			}
			if called := graph.called != ""; called != (test.status == 200) {
				t.Errorf("graph called: %v", called)
			}
			if graph.spooled != graph.released {
				t.Errorf("%d files stored, %d released", graph.spooled, graph.released)
			}
		})
	}
}

// endless is a body without an end.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	clear(p)
	e.read += int64(len(p))
	return len(p), nil
}

// A body that is too large is not read to its end.
func TestTooLargeIsNotRead(t *testing.T) {
	for _, contentType := range []string{urlencoded, "application/json", formData} {
		body := &endless{}
		request := httptest.NewRequest("POST", like, io.MultiReader(strings.NewReader("--B\r\n\r\n"), body))
		request.Header.Set("Content-Type", contentType)
		if answer := do(t, newServer(t, &fakeGraph{t: t}), request); answer.Code != 413 {
			t.Errorf("%s: answered %d %s", contentType, answer.Code, answer.Body)
		}
		if body.read > 2<<20 {
			t.Errorf("%s: %d bytes read", contentType, body.read)
		}
	}
}

// A client that sends 100 MB to a route without files reads the refusal.
func TestTooLargeOverNetwork(t *testing.T) {
	server := httptest.NewServer(newServer(t, &fakeGraph{t: t}))
	defer server.Close()
	for name, length := range map[string]int64{"announced": 100 << 20, "chunked": -1} {
		request, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+like, io.LimitReader(&endless{}, 100<<20))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", urlencoded)
		request.ContentLength = length
		response, err := server.Client().Do(request)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != 413 || !strings.HasPrefix(string(body), `{"status_code":7,`) {
			t.Errorf("%s: answered %d %s %v", name, response.StatusCode, body, err)
		}
		response.Body.Close()
	}
}

// A file is stored while it arrives.
func TestUploadStaysOutOfMemory(t *testing.T) {
	const size = 64 << 20
	graph := &fakeGraph{t: t, response: done}
	graph.store = func(r io.Reader, _, _ string) (graphql.Upload, func(), error) {
		n, err := io.Copy(io.Discard, r)
		return graphql.Upload{File: strings.NewReader(""), Size: n}, func() {}, err
	}
	server := newServer(t, graph)
	body := io.MultiReader(strings.NewReader(strings.TrimSuffix(file("data", ""), "\r\n")),
		io.LimitReader(&endless{}, size), strings.NewReader("\r\n--B--"))
	request := httptest.NewRequest("POST", publish, body)
	request.Header.Set("Content-Type", formData)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	answer := do(t, server, request)
	runtime.ReadMemStats(&after)
	if want := fmt.Sprint(size); answer.status != 0 || !strings.Contains(graph.called, want) {
		t.Fatalf("answered %s after %s", answer.Body, graph.called)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
		t.Errorf("%d bytes allocated", grown)
	}
}

// An error of Spool passes the error presenter of the server once; the response is what that returns.
func TestStoreFails(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		http   int
		status int32
		text   string
	}{
		"coded":   {&gqlerror.Error{Message: "at most 128 MiB", Extensions: map[string]any{"code": "TOO_LARGE"}}, 413, 7, "at most 128 MiB"},
		"uncoded": {errors.New("write /data/tmp: no space left on device"), 200, 1, "internal error"},
	} {
		t.Run(name, func(t *testing.T) {
			graph := &fakeGraph{t: t}
			graph.store = func(io.Reader, string, string) (graphql.Upload, func(), error) {
				return graphql.Upload{}, nil, fmt.Errorf("store the file: %w", test.err)
			}
			server := newServer(t, graph)
			var presented []error
			server.SetErrorPresenter(func(ctx context.Context, err error) *gqlerror.Error {
				presented = append(presented, err)
				if operation := graphql.GetOperationContext(ctx).OperationName; operation != "Publish" {
					t.Errorf("operation %q", operation)
				}
				var coded *gqlerror.Error
				if errors.As(test.err, &coded) {
					return coded
				}
				return gqlerror.Wrap(err)
			})
			request := httptest.NewRequest("POST", publish, strings.NewReader(file("data", "x")+"--B--"))
			request.Header.Set("Content-Type", formData)
			answer := do(t, server, request)
			if answer.Code != test.http || answer.status != test.status || answer.message != test.text {
				t.Errorf("answered %d %s", answer.Code, answer.Body)
			}
			if len(presented) != 1 || !errors.Is(presented[0], test.err) {
				t.Errorf("presented %v", presented)
			}
		})
	}
}

// No file is left of a client that disconnects in the middle of its file, nor of one that sends less than its
// Content-Length. The latter, if still connected, gets a refusal.
func TestUploadCutOff(t *testing.T) {
	for name, halfClose := range map[string]bool{"client goes away": false, "client sends less than announced": true} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			graph := &fakeGraph{t: t, store: fileStore(folder)}
			served := make(chan struct{})
			inner := newServer(t, graph)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(served)
				inner.ServeHTTP(w, r)
			}))
			defer server.Close()
			connection, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: h\r\nContent-Type: %s\r\nContent-Length: 1000000\r\n\r\n%s",
				publish, formData, file("data", strings.Repeat("x", 100_000)))
			if halfClose {
				err = connection.(*net.TCPConn).CloseWrite()
			} else {
				err = connection.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			<-served
			if left, err := os.ReadDir(folder); err != nil || len(left) != 0 || graph.called != "" {
				t.Errorf("left behind: %v %v, graph: %q", left, err, graph.called)
			}
			if halfClose {
				answer, err := io.ReadAll(connection)
				if err != nil || !strings.Contains(string(answer), `{"status_code":2,"status_msg":"the form is malformed or incomplete"}`) {
					t.Errorf("answered %s %v", answer, err)
				}
			}
		})
	}
}

// fileStore stores files in the folder.
func fileStore(folder string) spool {
	return func(r io.Reader, _, _ string) (graphql.Upload, func(), error) {
		stored, err := os.Create(filepath.Join(folder, "upload"))
		if err != nil {
			return graphql.Upload{}, nil, err
		}
		release := func() { _, _ = stored.Close(), os.Remove(stored.Name()) }
		if _, err = io.Copy(stored, r); err != nil {
			release()
			return graphql.Upload{}, nil, err
		}
		return graphql.Upload{File: stored}, release, nil
	}
}

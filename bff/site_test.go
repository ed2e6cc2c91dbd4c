package bff_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/pkg/endpoint"
	"github.com/cloudwego/kitex/pkg/klog"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/server"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"minidouyin/bff"
	"minidouyin/bff/media"
	"minidouyin/bff/middleware"
	"minidouyin/bff/rpc"
	"minidouyin/services"
	"minidouyin/services/testenv/mysqltest"
)

// programs is the folder of the binaries that the tests build.
var programs string

func TestMain(m *testing.M) {
	klog.SetOutput(io.Discard) // as the product, which says what matters itself
	var err error
	if programs, err = os.MkdirTemp("", "douyin-binary-*"); err != nil {
		panic(err)
	}
	code := mysqltest.Run(m)
	_ = os.RemoveAll(programs)
	os.Exit(code)
}

// site is the whole product in the test's process, with its calls and SQL statements counted.
type site struct {
	url     string
	handler *bff.Site
	media   *media.Media
	data    string
	calls   *counter
	sql     *counter // by statement
	sqlOf   *counter // by service
	ground  rpc.Services
	log     logged
	before  atomic.Pointer[func(method string) error] // is called before each call, which fails when it does

	blobs     string   // folder of the files of uploads
	temporary []string // folders of what is under way
	// removals, unless nil, returns the keys of the files that are to be removed when no other server can be storing
	// them any more. One that is alone removes them at its start.
	removals func(tb testing.TB) map[string]bool
}

// newFolders returns a site that keeps everything in a folder of its own.
func newFolders(tb testing.TB) *site {
	tb.Helper()
	data := tb.TempDir()
	return &site{data: data, blobs: filepath.Join(data, "blobs"), temporary: []string{filepath.Join(data, "tmp")}}
}

// newSite starts a site on fresh SQLite files. It ends with the test.
func newSite(tb testing.TB, configure ...func(*bff.Config)) *site {
	tb.Helper()
	return newSiteOn(tb, "", nil, configure...)
}

// newSiteOn starts a site on a database, "" for SQLite files of its own, and a Redis, nil for none.
func newSiteOn(tb testing.TB, dsn string, cache redis.UniversalClient, configure ...func(*bff.Config)) *site {
	tb.Helper()
	s := newFolders(tb)
	s.calls, s.sql, s.sqlOf = newCounter(), newCounter(), newCounter()
	log := slog.New(middleware.WithRequestID(slog.NewMultiHandler(
		slog.NewTextHandler(testWriter{tb}, &slog.HandlerOptions{Level: slog.LevelWarn}),
		slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	callers := map[string]server.LocalCaller{}
	for _, name := range []string{services.Basics, services.Interaction, services.Social} {
		serviceDSN := dsn
		if dsn == "" {
			serviceDSN = "sqlite:" + filepath.Join(s.data, name+".db")
		}
		service, err := services.Open(context.Background(), name, services.Config{
			DSN: serviceDSN, Redis: cache, Alone: dsn == "" && cache == nil, Log: log,
			PasswordCost: services.PasswordCost{Time: 1, MemoryKiB: 64},
			OnStatement: func(_ context.Context, sql string) {
				s.sql.add(sql)
				s.sqlOf.add(name)
			},
		})
		require.NoError(tb, err)
		tb.Cleanup(func() { require.NoError(tb, service.Close()) })
		callers[name], err = server.NewLocalCaller("bff", service.Server)
		require.NoError(tb, err)
	}
	var err error
	s.ground, err = rpc.NewServices(func(name string) []client.Option {
		return append([]client.Option{client.WithMiddleware(s.count)}, rpc.Local(callers[name])...)
	})
	require.NoError(tb, err)

	s.serve(tb, log, configure...)
	return s
}

// beside starts another process's half of the site: what reaches the same services over HTTP.
func (s *site) beside(tb testing.TB, configure ...func(*bff.Config)) *site {
	tb.Helper()
	other := &site{data: s.data, calls: s.calls, sql: s.sql, ground: s.ground}
	other.serve(tb, slog.New(slog.DiscardHandler), configure...)
	return other
}

// serve serves HTTP until the test ends.
func (s *site) serve(tb testing.TB, log *slog.Logger, configure ...func(*bff.Config)) {
	tb.Helper()
	cfg := bff.Config{Addr: "127.0.0.1:0", Data: s.data, TokenTTL: time.Hour, MaxUpload: 4 << 20, ListLimit: 1000, FFmpeg: "-", Introspection: true, Web: true}
	for _, set := range configure {
		set(&cfg)
	}
	require.NoError(tb, cfg.Validate())
	var err error
	s.media, err = media.Open(tb.Context(), cfg.Media(log))
	require.NoError(tb, err)
	sessions, err := cfg.Sessions()
	require.NoError(tb, err)
	handler, err := bff.NewHandler(cfg, log, s.ground, s.media, sessions, func() {})
	require.NoError(tb, err)
	httpServer := httptest.NewServer(handler)
	tb.Cleanup(httpServer.Close)
	s.url, s.handler = httpServer.URL, handler
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(tb, handler.Shutdown(ctx))
		require.NoError(tb, handler.Close(ctx))
	})
}

func (s *site) count(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, request, response any) error {
		method := rpcinfo.GetRPCInfo(ctx).Invocation().MethodName()
		s.calls.add(method)
		if before := s.before.Load(); before != nil {
			if err := (*before)(method); err != nil {
				return err
			}
		}
		return next(ctx, request, response)
	}
}

type testWriter struct{ tb testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.tb.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// logged is a log that may be read while it is written.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// counter counts by name.
type counter struct {
	mu sync.Mutex
	n  map[string]int
}

func newCounter() *counter { return &counter{n: map[string]int{}} }

func (c *counter) add(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n[name]++
}

// take returns the counts so far and starts over.
func (c *counter) take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.n
	c.n = map[string]int{}
	return n
}

// text returns counts as in "BatchGetUsers 1, ListFeed 1".
func text(n map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(n)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, n[name]))
	}
	return strings.Join(parts, ", ")
}

func sum(n map[string]int) (total int) {
	for _, k := range n {
		total += k
	}
	return total
}

// answer is a JSON answer.
type answer struct {
	status int
	header http.Header
	text   string
	json   map[string]any
}

func (s *site) do(tb testing.TB, r *http.Request) answer {
	tb.Helper()
	return s.doWith(tb, http.DefaultClient, r)
}

func (s *site) doWith(tb testing.TB, client *http.Client, r *http.Request) answer {
	tb.Helper()
	response, err := client.Do(r)
	require.NoError(tb, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(tb, err)
	a := answer{status: response.StatusCode, header: response.Header, text: string(body)}
	if strings.Contains(response.Header.Get("Content-Type"), "json") {
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.UseNumber()
		require.NoError(tb, decoder.Decode(&a.json), "body: %s", body)
	}
	return a
}

// rest calls a REST route as the original app does: everything in the query.
func (s *site) rest(tb testing.TB, method, path string, query ...string) answer {
	tb.Helper()
	values := url.Values{}
	for i := 0; i < len(query); i += 2 {
		values.Set(query[i], query[i+1])
	}
	r, err := http.NewRequest(method, s.url+path+"?"+values.Encode(), nil)
	require.NoError(tb, err)
	return s.do(tb, r)
}

// ok calls a REST route that must succeed.
func (s *site) ok(tb testing.TB, method, path string, query ...string) map[string]any {
	tb.Helper()
	a := s.rest(tb, method, path, query...)
	require.Equal(tb, http.StatusOK, a.status, a.text)
	require.Equal(tb, json.Number("0"), a.json["status_code"], a.text)
	return a.json
}

// register opens an account and returns its id and token.
func (s *site) register(tb testing.TB, name string) (id, token string) {
	tb.Helper()
	body := s.ok(tb, "POST", "/douyin/user/register/", "username", name, "password", "secret")
	return body["user_id"].(json.Number).String(), body["token"].(string)
}

// publish publishes a video by REST and returns its id.
func (s *site) publish(tb testing.TB, token, title string) string {
	tb.Helper()
	a := s.upload(tb, token, title, sampleVideo(tb))
	require.Equal(tb, json.Number("0"), a.json["status_code"], a.text)
	feed := s.ok(tb, "GET", "/douyin/feed/")
	return feed["video_list"].([]any)[0].(map[string]any)["id"].(json.Number).String()
}

func (s *site) upload(tb testing.TB, token, title string, file []byte) answer {
	tb.Helper()
	body, contentType := publishForm(token, title, file)
	r, err := http.NewRequest("POST", s.url+"/douyin/publish/action/", body)
	require.NoError(tb, err)
	r.Header.Set("Content-Type", contentType)
	return s.do(tb, r)
}

// publishForm returns the form of the publish route.
func publishForm(token, title string, file []byte) (body *bytes.Buffer, contentType string) {
	body = &bytes.Buffer{}
	form := multipart.NewWriter(body) // a buffer takes everything, so nothing here can fail
	_ = form.WriteField("token", token)
	_ = form.WriteField("title", title)
	part, _ := form.CreateFormFile("data", "video.mp4")
	_, _ = part.Write(file)
	_ = form.Close()
	return body, form.FormDataContentType()
}

// request sends a request with headers, pairs of name and value.
func (s *site) request(tb testing.TB, method, target, body string, header ...string) answer {
	tb.Helper()
	r, err := http.NewRequest(method, s.url+target, strings.NewReader(body))
	require.NoError(tb, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return s.do(tb, r)
}

// graphql runs an operation; token may be empty.
func (s *site) graphql(tb testing.TB, token, query string, variables map[string]any) answer {
	tb.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	require.NoError(tb, err)
	r, err := http.NewRequest("POST", s.url+"/graphql", bytes.NewReader(body))
	require.NoError(tb, err)
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return s.do(tb, r)
}

// files lists what is kept of uploads, temporary files included.
func (s *site) files(tb testing.TB) (files []string) {
	tb.Helper()
	for _, folder := range append([]string{s.blobs}, s.temporary...) {
		err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				files = append(files, path)
			}
			return err
		})
		if errors.Is(err, os.ErrNotExist) { // the store is elsewhere
			continue
		}
		require.NoError(tb, err)
	}
	return files
}

var sample = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "douyin-sample-*")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "sample.mp4")
	out, err := exec.Command("ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=90x160:rate=10:duration=1",
		"-pix_fmt", "yuv420p", path).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("ffmpeg: %w: %s", err, out)
	}
	return os.ReadFile(path)
})

// sampleVideo returns a small real video.
func sampleVideo(tb testing.TB) []byte {
	tb.Helper()
	video, err := sample()
	require.NoError(tb, err)
	return video
}

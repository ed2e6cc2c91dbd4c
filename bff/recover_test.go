package bff_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"minidouyin/bff"
	"minidouyin/bff/rpc"
)

// A panic outside of an operation is an INTERNAL error in the form of its route, and is logged in one line of few bytes.
func TestPanicsOutsideOfOperations(t *testing.T) {
	log := &strings.Builder{}
	cfg := bff.Config{Addr: "127.0.0.1:0", Data: t.TempDir(), MaxUpload: 1 << 20, FFmpeg: "-", TokenTTL: time.Hour, ListLimit: 30}
	require.NoError(t, cfg.Validate())
	sessions, err := cfg.Sessions()
	require.NoError(t, err)
	token, _, err := sessions.Issue(1)
	require.NoError(t, err)
	// Without a media store the first file panics.
	site, err := bff.NewHandler(cfg, slog.New(slog.NewJSONHandler(log, nil)), rpc.Services{}, nil, sessions, func() {})
	require.NoError(t, err)

	const publish = "--x\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nTOKEN\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"data\"; filename=\"a.mp4\"\r\n\r\nvideo\r\n--x--\r\n"
	const operation = "--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n" +
		`{"query":"mutation($f: Upload!) { publishVideo(input: {title: \"a\", file: $f}) { video { id } } }","variables":{"f":null}}` + "\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n{\"f\":[\"variables.f\"]}\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.mp4\"\r\n\r\nvideo\r\n--x--\r\n"
	for _, c := range []struct {
		method, path, body, says string
		status                   int
	}{
		{http.MethodPost, "/douyin/publish/action/", publish, `{"status_code":1,"status_msg":"internal error"}`, http.StatusOK},
		{http.MethodPost, "/graphql", operation, `"code":"INTERNAL"`, http.StatusInternalServerError},
		{http.MethodGet, "/media/videos/00/x.mp4", "", "internal error\n", http.StatusInternalServerError},
	} {
		t.Run(c.path, func(t *testing.T) {
			log.Reset()
			r := httptest.NewRequestWithContext(t.Context(), c.method, c.path, strings.NewReader(strings.ReplaceAll(c.body, "TOKEN", token)))
			r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("X-Requested-With", "test")
			w := httptest.NewRecorder()
			site.ServeHTTP(w, r)
			require.Equal(t, c.status, w.Code, w.Body.String())
			require.Contains(t, w.Body.String(), c.says)
			require.Equal(t, 1, strings.Count(log.String(), `"level":"ERROR"`), log.String())
			line, _, _ := strings.Cut(log.String(), "\n")
			require.Less(t, len(line), 4096)
			var logged struct{ Panic string }
			require.NoError(t, json.Unmarshal([]byte(line), &logged))
			require.Contains(t, logged.Panic, "nil pointer")
			require.Contains(t, logged.Panic, "media.(*Media)", "it says where")
		})
	}
}

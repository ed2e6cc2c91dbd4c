package bff_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"minidouyin/bff"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/services/testenv/s3test"
)

// onS3 keeps the files of a site on S3, reached at endpoint.
func onS3(server *s3test.Server, endpoint string) func(*bff.Config) {
	return func(cfg *bff.Config) {
		cfg.Store = s3test.StoreAt(endpoint, "media")
		cfg.S3AccessKey, cfg.S3SecretKey = bff.Secret(server.AccessKey), bff.Secret(server.SecretKey)
	}
}

// restart runs the site's process life once more, as the only writer, until it serves: what a crash left is gone then.
func (s *site) restart(tb testing.TB, configure func(*bff.Config)) {
	tb.Helper()
	ctx, stop := context.WithCancel(tb.Context())
	ln, err := bff.Listen(ctx, "127.0.0.1:0")
	require.NoError(tb, err)
	ended := make(chan error, 1)
	cfg := bff.Config{Data: s.data, TokenTTL: time.Hour, MaxUpload: 1 << 20, ListLimit: 1000, SoleWriter: true}
	configure(&cfg)
	go func() { ended <- bff.Run(ctx, cfg, slog.New(slog.DiscardHandler), s.ground, s.media, ln) }()
	require.Eventually(tb, func() bool {
		response, err := http.Get("http://" + ln.Addr().String() + "/healthz")
		return err == nil && response.Body.Close() == nil && response.StatusCode == http.StatusOK
	}, patience, 20*time.Millisecond)
	stop()
	require.NoError(tb, <-ended)
}

// When the store dies between the two files of a video, the publication is refused, there is no row, and what was
// stored of it is gone once the store is back and the sweeper has been.
func TestPublishStoreDies(t *testing.T) {
	server := s3test.Start(t)
	front := s3test.NewFront(t, server)
	s := newSite(t, onS3(server, front.Endpoint))
	_, token := s.register(t, "ann")
	s.publish(t, token, "the first")
	require.Len(t, objects(t, server), 2)

	gone := front.KillAfter(t, int64(len(sampleVideo(t)))+2500) // in the middle of the cover
	a := s.upload(t, token, "the second", sampleVideo(t))
	<-gone
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.JSONEq(t, `{"status_code": 9, "status_msg": "files cannot be stored at the moment, please try again"}`, a.text)
	require.Empty(t, s.files(t), "nothing waits in the data folder")
	feed := s.ok(t, "GET", "/douyin/feed/")["video_list"].([]any)
	require.Len(t, feed, 1, "pages go on without the store")
	ready := s.rest(t, "GET", "/readyz")
	require.Equal(t, http.StatusOK, ready.status)
	require.Equal(t, "ok, but the store of files does not answer\n", ready.text)

	server.Restart(t)
	require.Eventually(t, func() bool { return s.rest(t, "GET", "/readyz").text == "ok\n" }, patience, 20*time.Millisecond)
	require.Len(t, objects(t, server), 3, "the video that has no row")
	s.restart(t, onS3(server, front.Endpoint))
	require.Len(t, objects(t, server), 2)
	removals, err := s.ground.Basics.ListRemovals(t.Context(), &basics.ListRemovalsRequest{Limit: 10, IncludeReserved: true})
	require.NoError(t, err)
	require.Empty(t, removals.Removals)
	s.publish(t, token, "the second")
	require.Len(t, objects(t, server), 4)
}

// objects lists what the server keeps.
func objects(tb testing.TB, server *s3test.Server) (names []string) {
	tb.Helper()
	err := fs.WalkDir(os.DirFS(server.Folder()), "media", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, path)
		}
		return err
	})
	require.NoError(tb, err)
	return names
}

// Addresses of files are those of this server, or of what serves the store to the public; never ones that end.
func TestMediaURLs(t *testing.T) {
	server := s3test.Start(t)
	for _, c := range []struct {
		name, mode, base, prefix string
		status                   int
	}{
		{"through us", "proxy", "", "", http.StatusOK},
		{"signed", "presigned", "", "", http.StatusFound},
		{"public", "public", "https://cdn.example.org/videos/", "https://cdn.example.org/videos", http.StatusOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, onS3(server, server.Endpoint), func(cfg *bff.Config) { cfg.MediaURLs, cfg.MediaBase = c.mode, c.base })
			_, token := s.register(t, "ann")
			s.publish(t, token, "mine")
			video := s.ok(t, "GET", "/douyin/feed/")["video_list"].([]any)[0].(map[string]any)
			if c.prefix == "" {
				c.prefix = s.url + "/media"
			}
			for _, folder := range []string{"play_url", "cover_url"} {
				require.True(t, strings.HasPrefix(video[folder].(string), c.prefix+"/"+map[string]string{"play_url": "videos/", "cover_url": "covers/"}[folder]), video[folder])
				require.NotContains(t, video[folder], "?")
			}
			avatar := video["author"].(map[string]any)["avatar"].(string)
			require.True(t, strings.HasPrefix(avatar, s.url+"/media/default/"), avatar)

			// Addresses through us are good in every mode: a client may have kept them.
			r, err := http.NewRequest("GET", s.url+"/media"+strings.TrimPrefix(video["play_url"].(string), c.prefix), nil)
			require.NoError(t, err)
			response, err := http.DefaultTransport.RoundTrip(r) // follows nothing
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, c.status, response.StatusCode)
			response, err = http.DefaultClient.Do(r)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, "video/mp4", response.Header.Get("Content-Type"))

			// The web client may load them from there.
			require.Equal(t, c.mode == "presigned", strings.Contains(s.pagePolicy(t), server.Endpoint))
			require.Equal(t, c.mode == "public", strings.Contains(s.pagePolicy(t), "https://cdn.example.org"))
		})
	}
}

// pagePolicy returns the policy that the page of the web client has, asked for by HEAD.
func (s *site) pagePolicy(t *testing.T) string {
	t.Helper()
	r, err := http.NewRequest("HEAD", s.url+"/", nil)
	require.NoError(t, err)
	r.Header.Set("Accept", "text/html")
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
	return response.Header.Get("Content-Security-Policy")
}

// Two HTTP servers, each with a data folder of its own, share nothing but the services and the bucket: what is
// published at one is played at the other, and what is deleted there is gone here.
func TestTwoServersOneBucket(t *testing.T) {
	server := s3test.Start(t)
	flags := []string{"--store=" + server.Store("media/prefix"), "--s3-access-key=" + server.AccessKey,
		"--s3-secret-key=" + server.SecretKey, "--jwt-key=0123456789abcdef0123456789abcdef", "--ffmpeg=-"}
	p := newProduct(t, "four processes", "", flags...)
	args := append([]string{"bff", "--addr=127.0.0.1:0", "--data=" + t.TempDir()}, flags...)
	for name, addr := range p.services {
		args = append(args, "--"+name+"="+addr)
	}
	other := &site{url: "http://" + p.launch(t, args...)}

	_, token := p.register(t, "ann")
	id := p.publish(t, token, "here and there")
	require.Empty(t, p.files(t))
	var bodies []string
	for _, s := range []*site{p.site, other} {
		video := s.ok(t, "GET", "/douyin/feed/", "token", token)["video_list"].([]any)[0].(map[string]any)
		require.Equal(t, json.Number(id), video["id"])
		require.True(t, strings.HasPrefix(video["play_url"].(string), s.url+"/media/videos/"))
		r, err := http.NewRequest("GET", video["play_url"].(string), nil)
		require.NoError(t, err)
		r.Header.Set("Range", "bytes=100-")
		a := s.do(t, r)
		require.Equal(t, http.StatusPartialContent, a.status)
		bodies = append(bodies, a.text)
	}
	require.Equal(t, bodies[0], bodies[1])
	require.Len(t, objects(t, server), 2)

	a := other.graphql(t, token, `mutation($id: ID!) { deleteVideo(input: {videoId: $id}) { deletedVideoId } }`, map[string]any{"id": id})
	require.NotContains(t, a.text, "errors")
	require.Eventually(t, func() bool { return len(objects(t, server)) == 0 }, patience, 50*time.Millisecond)
}

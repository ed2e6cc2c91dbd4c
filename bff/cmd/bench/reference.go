//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"minidouyin/services/testenv/daemon"
)

type feedAnswer struct {
	StatusCode int32       `json:"status_code"`
	StatusMsg  string      `json:"status_msg"`
	VideoList  []feedVideo `json:"video_list"`
	NextTime   int64       `json:"next_time"`
}

type feedVideo struct {
	ID            int64    `json:"id"`
	Author        feedUser `json:"author"`
	PlayURL       string   `json:"play_url"`
	CoverURL      string   `json:"cover_url"`
	FavoriteCount int64    `json:"favorite_count"`
	CommentCount  int64    `json:"comment_count"`
	IsFavorite    bool     `json:"is_favorite"`
	Title         string   `json:"title"`
}

type feedUser struct {
	ID              int64  `json:"id"`
	Name            string `json:"name"`
	FollowCount     int64  `json:"follow_count"`
	FollowerCount   int64  `json:"follower_count"`
	IsFollow        bool   `json:"is_follow"`
	Avatar          string `json:"avatar"`
	BackgroundImage string `json:"background_image"`
	Signature       string `json:"signature"`
	TotalFavorited  int64  `json:"total_favorited"`
	WorkCount       int64  `json:"work_count"`
	FavoriteCount   int64  `json:"favorite_count"`
}

// referenceCmd is a server of the least that a server in Go does for a feed: chi, and json.Marshal of what is in memory.
type referenceCmd struct {
	Addr string `required:"" help:"Address to serve HTTP on."`
	Body string `required:"" help:"File with the answer of the product, which is served again."`
}

// Run serves until ctx ends.
func (c *referenceCmd) Run(ctx context.Context) error {
	body, err := os.ReadFile(c.Body)
	if err != nil {
		return err
	}
	var feed feedAnswer
	if err := json.Unmarshal(body, &feed); err != nil {
		return err
	}
	r := chi.NewRouter()
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	r.Get("/douyin/feed/", func(w http.ResponseWriter, _ *http.Request) {
		text, err := json.Marshal(feed)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write(text)
	})
	r.Handle("/metrics", promhttp.Handler())
	server := &http.Server{Addr: c.Addr, Handler: r, ReadHeaderTimeout: time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() }) // which ListenAndServe reports
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// newReference returns the reference as a target. Its feed must be, byte for byte, that of t.
func newReference(ctx context.Context, t *target) (*target, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	addrs, err := daemon.FreeAddrs(1)
	if err != nil {
		return nil, err
	}
	r := &target{name: "reference", addr: addrs[0], folder: t.path("reference")}
	feed := site{host: t.addr}.request(0, http.MethodGet, "/douyin/feed/", "")
	body, _, err := send(ctx, t.addr, feed)
	if err = errors.Join(err, os.Mkdir(r.folder, 0o700), os.WriteFile(r.path("feed.json"), body, 0o600)); err != nil {
		return nil, err
	}
	ready := func(ctx context.Context) error {
		same, _, err := send(ctx, r.addr, feed)
		if err == nil && !bytes.Equal(same, body) {
			err = fmt.Errorf("its body is not the product's: %.200s", same)
		}
		return err
	}
	r.product = []*program{{name: r.name, metrics: r.addr, ready: ready, command: daemon.Command{Path: self,
		Args: []string{"reference", "--addr=" + r.addr, "--body=" + r.path("feed.json")}, Log: r.path("log")}}}
	return r, nil
}

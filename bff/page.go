package bff

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"minidouyin/bff/media"
	"minidouyin/bff/middleware"
	"minidouyin/bff/rpc"
	"minidouyin/bff/web"
	"minidouyin/graph/model"
	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
)

// readyTimeout bounds the answer of /readyz.
const readyTimeout = 2 * time.Second

// root returns the handler of /: the web client for browsers, and a text with the routes for others.
func root(cfg Config, services rpc.Services, files mediaStore) (http.Handler, error) {
	if !cfg.Web {
		return http.HandlerFunc(listRoutes), nil
	}
	var origins []string
	for _, address := range []string{cfg.PublicURL, files.base, files.RedirectURL()} {
		if origin := middleware.OriginOf(address); origin != "" {
			origins = append(origins, origin)
		}
	}
	page, err := web.Handler(web.Config{Origins: origins, Video: aboutVideo(services, files)})
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			w.Header().Add("Vary", "Accept")
		}
		if r.URL.Path == "/" && !strings.Contains(r.Header.Get("Accept"), "text/html") {
			listRoutes(w, r)
			return
		}
		page.ServeHTTP(w, r)
	}), nil
}

// listRoutes answers with the routes.
func listRoutes(w http.ResponseWriter, _ *http.Request) {
	middleware.WriteText(w, http.StatusOK, `minidouyin

  POST /graphql      the graph: {"query": "{ feed(first: 3) { nodes { title playUrl author { name } } } }"}
  GET  /playground   explore the graph, unless --no-introspection
  GET  /douyin/feed/ the REST routes of the original app
  GET  /healthz      the process is alive
  GET  /readyz       the services behind it answer
`)
}

// ready returns the handler of /readyz, which reports whether this server should get requests. It should without the
// store of files, too: all servers share that, and pages, likes and messages do not need it.
func ready(services rpc.Services, files *media.Media) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := services.Ready(ctx); err != nil {
			middleware.WriteText(w, http.StatusServiceUnavailable, "a service does not answer\n")
			return
		}
		if err := files.Ready(ctx); err != nil {
			middleware.WriteText(w, http.StatusOK, "ok, but the store of files does not answer\n")
			return
		}
		middleware.WriteText(w, http.StatusOK, "ok\n")
	}
}

// aboutVideo returns what loads the preview of a video, for links to it.
func aboutVideo(services rpc.Services, files mediaStore) func(context.Context, string) (web.About, error) {
	return func(ctx context.Context, arg string) (about web.About, err error) {
		id, err := model.ParseID(model.TypeVideo, arg)
		if err != nil {
			return about, err
		}
		videos, err := services.Basics.BatchGetVideos(ctx, &basics.BatchGetVideosRequest{VideoIds: []int64{id}})
		if err != nil {
			return about, err
		}
		video := videos.Videos[id]
		if video == nil {
			return about, codes.Errorf(codes.NotFound, "there is no such video")
		}
		about = web.About{Title: video.Title, Cover: files.URL(ctx, video.CoverKey),
			Page: middleware.BaseURLOf(ctx) + "/video/" + strconv.FormatInt(id, 10)}
		users, err := services.Basics.BatchGetUsers(ctx, &basics.BatchGetUsersRequest{UserIds: []int64{video.AuthorID}})
		if err != nil {
			return about, err
		}
		if author := users.Users[video.AuthorID]; author != nil {
			about.Author = author.Name
		}
		return about, nil
	}
}

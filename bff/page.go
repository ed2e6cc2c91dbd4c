package bff

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"minidouyin/bff/web"
	"minidouyin/graph/model"
	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
)

// webClient returns the handler of the page for people.
func webClient(cfg Config, services Services, files mediaStore) (http.Handler, error) {
	var origins []string
	for _, address := range []string{cfg.PublicURL, files.base, files.RedirectURL()} {
		if origin := originOf(address); origin != "" {
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
			welcome(w, r)
			return
		}
		page.ServeHTTP(w, r)
	}), nil
}

// aboutVideo returns what tells of a video where a link to it is shared.
func aboutVideo(services Services, files mediaStore) func(context.Context, string) (web.About, error) {
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
			Page: baseURLOf(ctx) + "/video/" + strconv.FormatInt(id, 10)}
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

package compat_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
)

// BenchmarkFeed serves a feed of 30 videos from a fixed GraphQL response: the cost of everything but the graph.
func BenchmarkFeed(b *testing.B) {
	var videos []string
	for i := range 30 {
		videos = append(videos, fmt.Sprintf(`{"id":%d,"author":{"id":%d,"name":"somebody","follow_count":3,`+
			`"follower_count":4,"is_follow":true,"avatar":"http://localhost:8080/media/avatar.png","background_image":`+
			`"http://localhost:8080/media/background.jpg","signature":"a line","total_favorited":50,"work_count":6,`+
			`"favorite_count":7},"play_url":"http://localhost:8080/media/%d.mp4","cover_url":`+
			`"http://localhost:8080/media/%d.jpg","favorite_count":1,"comment_count":2,"is_favorite":false,"title":"a cat"}`,
			i, i, i, i))
	}
	data := `{"_":{"video_list":[` + strings.Join(videos, ",") + `],"next_time":1700000000123}}`
	server := newServer(b, &fakeGraph{t: b, canned: &graphql.Response{Data: []byte(data)}})
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		recorder := httptest.NewRecorder()
		server.ServeHTTP(recorder, httptest.NewRequest("GET", "/douyin/feed/?latest_time=1700000000123&token=token-7", nil))
		if recorder.Body.Len() < len(data) {
			b.Fatal(recorder.Body)
		}
	}
}

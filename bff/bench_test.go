package bff_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkFeed compares the feed of 30 videos by REST and by GraphQL with the plainest answer that this server gives,
// over HTTP, without Redis and with caches in one: the ratios within one run say what the graph and the database cost.
func BenchmarkFeed(b *testing.B) {
	b.Run("database", func(b *testing.B) { benchmarkFeed(b, newWorld(b, 30, nil)) })
	b.Run("caches", func(b *testing.B) { benchmarkFeed(b, newWorld(b, 30, newRedis(b))) })
}

func benchmarkFeed(b *testing.B, w *world) {
	const query = `{"query": "{ feed(first: 30) { nodes { databaseId title playUrl coverUrl likeCount commentCount viewerHasLiked author { databaseId name followingCount followerCount viewerIsFollowing avatarUrl backgroundUrl signature likesReceivedCount videoCount likesGivenCount } } } }"}`
	for name, request := range map[string]func() (*http.Response, error){
		"alive": func() (*http.Response, error) { return http.Get(w.url + "/healthz") },
		"REST":  func() (*http.Response, error) { return http.Get(w.url + "/douyin/feed/") },
		"GraphQL": func() (*http.Response, error) {
			return http.Post(w.url+"/graphql", "application/json", bytes.NewReader([]byte(query)))
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				response, err := request()
				require.NoError(b, err)
				n, err := io.Copy(io.Discard, response.Body)
				require.NoError(b, err)
				require.NoError(b, response.Body.Close())
				b.SetBytes(n)
			}
		})
	}
}

package bff_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Pages of a connection hold each item exactly once, and only the last page says that there is no next one.
func TestConnectionPages(t *testing.T) {
	const items = 5
	s := newSite(t)
	id, token := s.register(t, "ann")
	var video string
	for i := range items {
		video = s.publish(t, token, fmt.Sprintf("video %d", i))
	}
	for i := range items {
		_, fan := s.register(t, fmt.Sprintf("fan%d", i))
		s.ok(t, "POST", "/douyin/relation/action/", "token", fan, "to_user_id", id, "action_type", "1")
		s.ok(t, "POST", "/douyin/comment/action/", "token", fan, "video_id", video, "action_type", "1", "comment_text", "nice")
	}
	for _, path := range []string{
		"feed", fmt.Sprintf("video(id:%q) comments", video), fmt.Sprintf("user(id:%q) followers", id), fmt.Sprintf("user(id:%q) videos", id),
	} {
		for _, first := range []int{1, 2, items, items + 1} {
			t.Run(fmt.Sprintf("%s by %d", path, first), func(t *testing.T) {
				parts := strings.Fields(path)
				query := fmt.Sprintf("query($after: String) { %s(first: %d, after: $after) "+
					"{ edges { cursor node { databaseId } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } %s}",
					strings.Join(parts, " { "), first, strings.Repeat("} ", len(parts)-1))
				seen := map[string]int{}
				var after any
				for more := true; more; {
					require.Less(t, len(seen), items, "a page after the last")
					a := s.graphql(t, "", query, map[string]any{"after": after})
					require.NotContains(t, a.text, `"errors"`, a.text)
					found := a.json["data"].(map[string]any)
					for _, part := range parts {
						name, _, _ := strings.Cut(part, "(")
						found = found[name].(map[string]any)
					}
					edges, info := found["edges"].([]any), found["pageInfo"].(map[string]any)
					require.NotEmpty(t, edges)
					require.LessOrEqual(t, len(edges), first)
					require.Equal(t, edges[0].(map[string]any)["cursor"], info["startCursor"])
					require.Equal(t, edges[len(edges)-1].(map[string]any)["cursor"], info["endCursor"])
					require.Equal(t, after != nil, info["hasPreviousPage"])
					for _, edge := range edges {
						seen[fmt.Sprint(edge.(map[string]any)["node"].(map[string]any)["databaseId"])]++
					}
					after, more = info["endCursor"], info["hasNextPage"].(bool)
				}
				require.Len(t, seen, items)
				for item, times := range seen {
					require.Equal(t, 1, times, "item %s", item)
				}
			})
		}
	}
}

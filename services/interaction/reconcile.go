package interaction

import "minidouyin/services/internal/reconcile"

// Counts are the counts that the service keeps, for [reconcile.Run].
var Counts = []reconcile.Count{
	{Table: "video_stats", Key: "video_id", Column: "like_count", Others: []string{"comment_count"},
		Rows: "SELECT video_id AS id, COUNT(*) AS n FROM likes WHERE liked = 1 AND video_id > ? AND video_id <= ? GROUP BY video_id"},
	{Table: "video_stats", Key: "video_id", Column: "comment_count", Others: []string{"like_count"},
		Rows: "SELECT video_id AS id, COUNT(*) AS n FROM comments WHERE video_id > ? AND video_id <= ? GROUP BY video_id"},
	{Table: "user_like_stats", Key: "user_id", Column: "given_count", Others: []string{"received_count"},
		Rows: "SELECT user_id AS id, COUNT(*) AS n FROM likes WHERE liked = 1 AND user_id > ? AND user_id <= ? GROUP BY user_id"},
	// There is no index of likes by author, which only this needs: each batch reads all likes.
	{Table: "user_like_stats", Key: "user_id", Column: "received_count", Others: []string{"given_count"},
		Rows: "SELECT author_id AS id, COUNT(*) AS n FROM likes WHERE liked = 1 AND author_id > ? AND author_id <= ? GROUP BY author_id"},
}

package social

import "minidouyin/services/internal/reconcile"

// Counts are the counts that the service keeps, for [reconcile.Run].
var Counts = []reconcile.Count{
	{Table: "relation_stats", Key: "user_id", Column: "following_count", Others: []string{"follower_count"},
		Rows: "SELECT from_id AS id, COUNT(*) AS n FROM follows WHERE from_id > ? AND from_id <= ? GROUP BY from_id"},
	{Table: "relation_stats", Key: "user_id", Column: "follower_count", Others: []string{"following_count"},
		Rows: "SELECT to_id AS id, COUNT(*) AS n FROM follows WHERE to_id > ? AND to_id <= ? GROUP BY to_id"},
}

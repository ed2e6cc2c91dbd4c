package basics

import "minidouyin/services/internal/reconcile"

// Counts are the counts that the service keeps, for [reconcile.Run].
var Counts = []reconcile.Count{
	{Table: "users", Key: "id", Column: "video_count",
		Rows: "SELECT author_id AS id, COUNT(*) AS n FROM videos WHERE author_id > ? AND author_id <= ? " +
			"AND EXISTS (SELECT 1 FROM users WHERE users.id = videos.author_id) GROUP BY author_id"},
}

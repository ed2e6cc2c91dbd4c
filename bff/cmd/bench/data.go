//go:build unix

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// password is that of every user. Its hash is argon2id at the least cost, so that signing in does not take long.
const (
	password     = "secret"
	passwordHash = "$argon2id$v=19$m=8,t=1,p=1$bWluaWRvdXlpbiBiZW5jaA$DuRIZA2nZIdIXlcgiY9O7DDDTYqqq/WQLyI/RligKhw"
)

// dataset describes the data that is loaded. The same sizes always give the same rows; ids count from 1.
type dataset struct {
	users       int
	videos      int // the authors take turns
	likesEach   int // of different videos by each user
	comments    int
	onNewest    int // of the comments, those on the newest video
	followsEach int
}

// standard is the data set of `make bench`.
var standard = dataset{users: 200, videos: 1000, likesEach: 100, comments: 5000, onNewest: 50, followsEach: 25}

// grown returns a data set of the same shape at every size: five videos an author, a like and a comment a video.
func grown(videos int) dataset {
	return dataset{users: videos / 5, videos: videos, likesEach: 5, comments: videos, onNewest: 50, followsEach: 5}
}

func (d dataset) String() string {
	return fmt.Sprintf("%d users, %d videos, %d likes, %d comments (%d on the newest video), %d follows",
		d.users, d.videos, d.users*d.likesEach, d.comments, d.onNewest, d.users*d.followsEach)
}

func userName(id int) string { return fmt.Sprintf("user%06d", id) }

// timeOf returns when the row with this id was made, in milliseconds: each is a second later than the one before.
func timeOf(id int) int64 { return 1_750_000_000_000 + int64(id)*1000 }

// table is rows of one of the product's tables.
type table struct {
	service, name, columns string
	rows                   int
	row                    func(id int) []any // called once for each id, in their order
}

// tables returns all rows. Those of the counts are right when the rows before them have been made.
func (d dataset) tables() []table {
	author := func(video int) int { return (video-1)%d.users + 1 }
	published, received, followers := make([]int, d.users+1), make([]int, d.users+1), make([]int, d.users+1)
	liked, commented := make([]int, d.videos+1), make([]int, d.videos+1)
	video := func(id int) []any {
		published[author(id)]++
		file := fmt.Sprintf("%02x/%026d", id%256, id)
		return []any{id, author(id), fmt.Sprintf("第%d个视频", id), "videos/" + file + ".mp4", "covers/" + file + ".jpg", timeOf(id)}
	}
	user := func(id int) []any {
		return []any{id, userName(id), userName(id), passwordHash, "the sea, the stars", "", "", published[id], timeOf(id)}
	}
	like := func(id int) []any {
		user, nth := (id-1)/d.likesEach+1, (id-1)%d.likesEach
		video := (user*37+nth*(d.videos/d.likesEach))%d.videos + 1
		liked[video]++
		received[author(video)]++
		return []any{id, user, video, author(video), timeOf(id), 1, 0, 0}
	}
	comment := func(id int) []any {
		video := d.videos
		if id <= d.comments-d.onNewest {
			video = id%(d.videos-1) + 1
		}
		commented[video]++
		return []any{id, video, id*7%d.users + 1, fmt.Sprintf("评论%d：拍得真好", id), timeOf(id)}
	}
	follow := func(id int) []any {
		from, nth := (id-1)/d.followsEach+1, (id-1)%d.followsEach
		to := (from+nth)%d.users + 1
		followers[to]++
		return []any{id, from, to, timeOf(id)}
	}
	return []table{
		{"basics", "videos", "id, author_id, title, play_key, cover_key, created_at", d.videos, video},
		{"basics", "users", "id, name, name_key, password_hash, signature, avatar_key, background_key, video_count, created_at",
			d.users, user},
		{"interaction", "likes", "id, user_id, video_id, author_id, created_at, liked, version, delta", d.users * d.likesEach, like},
		{"interaction", "comments", "id, video_id, user_id, content, created_at", d.comments, comment},
		{"interaction", "video_stats", "video_id, like_count, comment_count", d.videos,
			func(id int) []any { return []any{id, liked[id], commented[id]} }},
		{"interaction", "user_like_stats", "user_id, received_count, given_count", d.users,
			func(id int) []any { return []any{id, received[id], d.likesEach} }},
		{"social", "follows", "id, from_id, to_id, created_at", d.users * d.followsEach, follow},
		{"social", "relation_stats", "user_id, following_count, follower_count", d.users,
			func(id int) []any { return []any{id, d.followsEach, followers[id]} }},
	}
}

// batchRows is how many rows one statement inserts.
const batchRows = 500

// insert inserts the rows in one transaction.
func (t table) insert(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	row := ",(?" + strings.Repeat(",?", strings.Count(t.columns, ",")) + ")"
	var values []any
	for id := 1; id <= t.rows && err == nil; id++ {
		values = append(values, t.row(id)...)
		if id%batchRows == 0 || id == t.rows {
			rows := strings.Repeat(row, (id-1)%batchRows+1)[1:]
			_, err = tx.ExecContext(ctx, "INSERT INTO "+t.name+" ("+t.columns+") VALUES "+rows, values...)
			values = values[:0]
		}
	}
	if err != nil {
		return errors.Join(fmt.Errorf("load %s: %w", t.name, err), tx.Rollback())
	}
	return tx.Commit()
}

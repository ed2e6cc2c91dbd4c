//go:build unix

package cluster_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // for database/sql
	"github.com/stretchr/testify/require"

	"minidouyin/bff/cluster"
)

// settleTime is after which a request whose answer was lost cannot take effect any more: the product's longest time-out
// and a little more.
const settleTime = 11 * time.Second

// belief is what somebody may believe of a yes or no that only they change. The zero value believes no.
type belief struct {
	known     bool // the last that was acknowledged
	maybe     bool // a change to the contrary was tried since, and its answer was lost
	restUntil time.Time
}

// acknowledge is told that a change to now was acknowledged.
func (b *belief) acknowledge(now bool) { *b = belief{known: now} }

// lose is told that the answer to a change to now was lost.
func (b *belief) lose(now bool) {
	b.maybe = b.maybe || now != b.known
	b.restUntil = time.Now().Add(settleTime)
}

// fits tells whether it can be so.
func (b *belief) fits(now bool) bool { return b.known == now || b.maybe }

// rests tells whether a request may be under way still.
func (b *belief) rests() bool { return time.Now().Before(b.restUntil) }

// line is a comment or a message, which was written once, and perhaps deleted.
type line struct {
	belief
	text  string
	about int64 // the video, or the other person
	id    int64 // of a comment whose writing was acknowledged
}

// worker is a person who remembers what the product has promised. Nobody else changes what it remembers.
type worker struct {
	*person
	random   *rand.Rand
	likes    map[int64]*belief // by video
	follows  map[int64]*belief // by user
	comments []*line
	messages []*line
	accounts map[*person]*belief
	written  int

	mu                 sync.Mutex
	acknowledged, lost map[string]int // writes by kind; lost ones by code as well
}

// done returns how many writes were acknowledged.
func (w *worker) done() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, times := range w.acknowledged {
		n += times
	}
	return n
}

func newWorker(p *person, seed uint64, number int, people []*person, videos []int64) *worker {
	w := &worker{person: p, random: rand.New(rand.NewPCG(seed, uint64(number))),
		likes: map[int64]*belief{}, follows: map[int64]*belief{}, accounts: map[*person]*belief{},
		acknowledged: map[string]int{}, lost: map[string]int{}}
	for _, id := range videos {
		w.likes[id] = &belief{}
	}
	for _, other := range people {
		if other.id != p.id {
			w.follows[other.id] = &belief{}
		}
	}
	return w
}

// one returns one of the keys, always the same for the same random number.
func one[V any](w *worker, from map[int64]V) int64 {
	keys := make([]int64, 0, len(from))
	for key := range from {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys[w.random.IntN(len(keys))]
}

// act does one thing at random.
func (w *worker) act(ctx context.Context) {
	byREST := w.random.IntN(2) == 0
	switch n := w.random.IntN(100); {
	case n < 45:
		w.like(ctx, byREST)
	case n < 60:
		w.follow(ctx, byREST)
	case n < 72:
		w.comment(ctx, byREST)
	case n < 78:
		w.deleteComment(ctx, byREST)
	case n < 90:
		w.chat(ctx, byREST)
	case n < 92:
		w.open(ctx)
	default:
		_ = w.query(ctx, `{ feed(first: 10) { nodes { title likeCount viewerHasLiked author { name followerCount } } } }`, nil)
	}
}

// note counts the outcome of a write and puts it into the belief.
func (w *worker) note(kind string, b *belief, now bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		w.acknowledged[kind]++
		b.acknowledge(now)
		return
	}
	w.lost[kind+" "+codeOf(err)]++
	b.lose(now)
}

func action(on bool) string {
	if on {
		return "1"
	}
	return "2"
}

func (w *worker) like(ctx context.Context, byREST bool) {
	video := one(w, w.likes)
	b := w.likes[video]
	if b.rests() {
		return
	}
	now := !b.known
	var err error
	if byREST {
		err = w.rest(ctx, http.MethodPost, "/douyin/favorite/action/", nil, "video_id", text(video), "action_type", action(now))
	} else if now {
		err = w.graphql(ctx, `mutation($id: ID!) { likeVideo(input: {videoId: $id}) { video { id } } }`, map[string]any{"id": video}, nil)
	} else {
		err = w.graphql(ctx, `mutation($id: ID!) { unlikeVideo(input: {videoId: $id}) { video { id } } }`, map[string]any{"id": video}, nil)
	}
	w.note("like", b, now, err)
}

func (w *worker) follow(ctx context.Context, byREST bool) {
	user := one(w, w.follows)
	b := w.follows[user]
	if b.rests() {
		return
	}
	now := !b.known
	var err error
	if byREST {
		err = w.rest(ctx, http.MethodPost, "/douyin/relation/action/", nil, "to_user_id", text(user), "action_type", action(now))
	} else if now {
		err = w.graphql(ctx, `mutation($id: ID!) { follow(input: {userId: $id}) { user { id } } }`, map[string]any{"id": user}, nil)
	} else {
		err = w.graphql(ctx, `mutation($id: ID!) { unfollow(input: {userId: $id}) { user { id } } }`, map[string]any{"id": user}, nil)
	}
	w.note("follow", b, now, err)
}

// line returns a new text that nobody else writes.
func (w *worker) line(about int64) *line {
	w.written++
	return &line{text: fmt.Sprintf("%s says %d", w.name, w.written), about: about}
}

func (w *worker) comment(ctx context.Context, byREST bool) {
	l := w.line(one(w, w.likes))
	var err error
	if byREST {
		var answer struct{ Comment struct{ ID int64 } }
		err = w.rest(ctx, http.MethodPost, "/douyin/comment/action/", &answer, "video_id", text(l.about), "action_type", "1", "comment_text", l.text)
		l.id = answer.Comment.ID
	} else {
		var answer struct {
			CreateComment struct{ Comment struct{ DatabaseID int64 } }
		}
		err = w.graphql(ctx, `mutation($id: ID!, $text: String!) {
			createComment(input: {videoId: $id, content: $text}) { comment { databaseId } } }`, map[string]any{"id": l.about, "text": l.text}, &answer)
		l.id = answer.CreateComment.Comment.DatabaseID
	}
	w.comments = append(w.comments, l)
	w.note("comment", &l.belief, true, err)
}

func (w *worker) deleteComment(ctx context.Context, byREST bool) {
	if len(w.comments) == 0 {
		return
	}
	l := w.comments[w.random.IntN(len(w.comments))]
	if !l.known || l.maybe {
		return
	}
	var err error
	if byREST {
		err = w.rest(ctx, http.MethodPost, "/douyin/comment/action/", nil, "video_id", text(l.about), "action_type", "2", "comment_id", text(l.id))
	} else {
		err = w.graphql(ctx, `mutation($video: ID!, $id: ID!) { deleteComment(input: {videoId: $video, commentId: $id}) { deletedCommentId } }`,
			map[string]any{"video": l.about, "id": l.id}, nil)
	}
	w.note("deleteComment", &l.belief, false, err)
}

func (w *worker) chat(ctx context.Context, byREST bool) {
	l := w.line(one(w, w.follows))
	var err error
	if byREST {
		err = w.rest(ctx, http.MethodPost, "/douyin/message/action/", nil, "to_user_id", text(l.about), "action_type", "1", "content", l.text)
	} else {
		err = w.graphql(ctx, `mutation($id: ID!, $text: String!) { sendMessage(input: {userId: $id, content: $text}) { message { id } } }`,
			map[string]any{"id": l.about, "text": l.text}, nil)
	}
	w.messages = append(w.messages, l)
	w.note("message", &l.belief, true, err)
}

// open opens another account.
func (w *worker) open(ctx context.Context) {
	w.written++
	p := newPerson(w.url, fmt.Sprintf("%s-%d", w.name, w.written))
	p.http = w.http
	b := &belief{}
	w.accounts[p] = b
	w.note("register", b, true, p.register(ctx))
}

func text(id int64) string { return strconv.FormatInt(id, 10) }

// audit compares what was promised to the workers with the rows, the rows with the counters, and all of it with what
// the product says. It returns each difference in a line. Where Redis or a process was killed within a write, old values
// may be read until they expire: then the answers are compared again.
func audit(t *testing.T, c *cluster.Cluster, workers []*worker) (wrong []string) {
	t.Helper()
	a := &auditor{t: t, dbs: map[string]*sql.DB{}}
	for _, service := range []string{"basics", "interaction", "social"} {
		db, err := sql.Open("mysql", strings.TrimPrefix(c.DSN(service), "mysql://"))
		require.NoError(t, err)
		defer db.Close()
		a.dbs[service] = db
	}
	a.read()
	a.promises(workers)
	a.counters()
	proven := len(a.wrong)
	for end := time.Now().Add(cacheTime); ; time.Sleep(time.Second) {
		a.wrong = a.wrong[:proven]
		a.answers(workers)
		if len(a.wrong) == proven || time.Now().After(end) {
			return a.wrong
		}
	}
}

type edge struct{ from, to int64 }

// auditor holds what the databases hold.
type auditor struct {
	t     *testing.T
	dbs   map[string]*sql.DB
	wrong []string

	authors         map[int64]int64 // of the videos
	likes, follows  map[edge]bool   // user and video, user and user
	comments, lines map[string][]edge
	users           map[string]int
}

func (a *auditor) differ(format string, args ...any) {
	a.wrong = append(a.wrong, fmt.Sprintf(format, args...))
}

// rows calls each with the two numbers and the text of every row.
func (a *auditor) rows(service, query string, each func(n, m int64, text string)) {
	a.t.Helper()
	rows, err := a.dbs[service].QueryContext(a.t.Context(), query)
	require.NoError(a.t, err)
	defer rows.Close()
	for rows.Next() {
		var n, m int64
		var text string
		require.NoError(a.t, rows.Scan(&n, &m, &text))
		each(n, m, text)
	}
	require.NoError(a.t, rows.Err())
}

func (a *auditor) read() {
	a.authors, a.likes, a.follows = map[int64]int64{}, map[edge]bool{}, map[edge]bool{}
	a.comments, a.lines, a.users = map[string][]edge{}, map[string][]edge{}, map[string]int{}
	a.rows("basics", "SELECT id, author_id, '' FROM videos", func(id, author int64, _ string) { a.authors[id] = author })
	a.rows("basics", "SELECT id, 0, name FROM users", func(_, _ int64, name string) { a.users[name]++ })
	a.rows("interaction", "SELECT user_id, video_id, '' FROM likes WHERE liked = 1", func(user, video int64, _ string) {
		a.likes[edge{user, video}] = true
	})
	a.rows("interaction", "SELECT user_id, video_id, content FROM comments", func(user, video int64, text string) {
		a.comments[text] = append(a.comments[text], edge{user, video})
	})
	a.rows("social", "SELECT from_id, to_id, '' FROM follows", func(from, to int64, _ string) { a.follows[edge{from, to}] = true })
	a.rows("social", "SELECT from_id, to_id, content FROM messages", func(from, to int64, text string) {
		a.lines[text] = append(a.lines[text], edge{from, to})
	})
}

// promises compares the rows with what the workers were told.
func (a *auditor) promises(workers []*worker) {
	edges := func(kind string, user int64, beliefs map[int64]*belief, rows map[edge]bool) {
		for to, b := range beliefs {
			if now := rows[edge{user, to}]; !b.fits(now) {
				a.differ("%s of %d by user %d: %v was acknowledged, the row says %v", kind, to, user, b.known, now)
			}
		}
	}
	texts := func(kind string, user int64, lines []*line, rows map[string][]edge) {
		for _, l := range lines {
			found := rows[l.text]
			if len(found) > 1 || !l.fits(len(found) == 1) || len(found) == 1 && found[0] != (edge{user, l.about}) {
				a.differ("%s %q about %d by user %d: %v was acknowledged, the rows are %v", kind, l.text, l.about, user, l.known, found)
			}
			delete(rows, l.text)
		}
	}
	for _, w := range workers {
		edges("like", w.id, w.likes, a.likes)
		edges("follow", w.id, w.follows, a.follows)
		texts("comment", w.id, w.comments, a.comments)
		texts("message", w.id, w.messages, a.lines)
		for p, b := range w.accounts {
			if n := a.users[p.name]; n > 1 || !b.fits(n == 1) {
				a.differ("user %s: %v was acknowledged, there are %d", p.name, b.known, n)
			}
		}
	}
	for text := range a.comments {
		a.differ("comment %q was written by nobody", text)
	}
	for text := range a.lines {
		a.differ("message %q was written by nobody", text)
	}
}

// counters compares the counters with the rows.
func (a *auditor) counters() {
	compare := func(kind, service, query string, rows map[int64]int64) {
		a.rows(service, query, func(id, n int64, _ string) {
			if rows[id] != n {
				a.differ("%s of %d: the counter is %d, the rows are %d", kind, id, n, rows[id])
			}
			delete(rows, id)
		})
		for id, n := range rows {
			a.differ("%s of %d: there is no counter, the rows are %d", kind, id, n)
		}
	}
	received, given, ofVideo := map[int64]int64{}, map[int64]int64{}, map[int64]int64{}
	for e := range a.likes {
		given[e.from]++
		ofVideo[e.to]++
		received[a.authors[e.to]]++
	}
	following, followers, published := map[int64]int64{}, map[int64]int64{}, map[int64]int64{}
	for e := range a.follows {
		following[e.from]++
		followers[e.to]++
	}
	for _, author := range a.authors {
		published[author]++
	}
	comments := map[int64]int64{}
	a.rows("interaction", "SELECT video_id, 0, '' FROM comments", func(video, _ int64, _ string) { comments[video]++ })
	compare("likes of video", "interaction", "SELECT video_id, like_count, '' FROM video_stats", ofVideo)
	compare("comments of video", "interaction", "SELECT video_id, comment_count, '' FROM video_stats", comments)
	compare("likes received by user", "interaction", "SELECT user_id, received_count, '' FROM user_like_stats", received)
	compare("likes given by user", "interaction", "SELECT user_id, given_count, '' FROM user_like_stats", given)
	compare("follows of user", "social", "SELECT user_id, following_count, '' FROM relation_stats", following)
	compare("followers of user", "social", "SELECT user_id, follower_count, '' FROM relation_stats", followers)
	compare("videos of user", "basics", "SELECT id, video_count, '' FROM users", published)
}

// mostLogins is how many accounts of each worker are signed in to by an audit: passwords are slow on purpose.
const mostLogins = 20

// answers compares what the product says to the workers with the rows.
func (a *auditor) answers(workers []*worker) {
	a.commentLists(workers[0])
	for _, w := range workers {
		a.feed(w)
		a.chats(w, workers)
		a.profiles(w, workers)
		logins := 0
		for p, b := range w.accounts {
			if logins++; logins > mostLogins {
				break
			}
			if err := p.login(a.t.Context()); (err == nil) != (a.users[p.name] == 1) || err != nil && b.known {
				a.differ("user %s cannot sign in: %v", p.name, err)
			}
		}
	}
}

func (a *auditor) feed(w *worker) {
	var answer struct {
		Feed struct {
			Nodes []struct {
				DatabaseID, LikeCount int64
				ViewerHasLiked        bool
			}
		}
	}
	require.NoError(a.t, w.query(a.t.Context(), `{ feed(first: 100) { nodes { databaseId likeCount viewerHasLiked } } }`, &answer))
	require.Len(a.t, answer.Feed.Nodes, len(a.authors))
	for _, v := range answer.Feed.Nodes {
		if liked := a.likes[edge{w.id, v.DatabaseID}]; liked != v.ViewerHasLiked {
			a.differ("video %d says to user %d that they like it: %v, the row says %v", v.DatabaseID, w.id, v.ViewerHasLiked, liked)
		}
		var count int64
		for e := range a.likes {
			if e.to == v.DatabaseID {
				count++
			}
		}
		if count != v.LikeCount {
			a.differ("video %d says to user %d that it has %d likes, the rows are %d", v.DatabaseID, w.id, v.LikeCount, count)
		}
	}
}

func (a *auditor) profiles(w *worker, workers []*worker) {
	for _, other := range workers {
		var answer struct {
			User struct {
				FollowingCount, FollowerCount, LikesReceivedCount, LikesGivenCount int64
				ViewerIsFollowing                                                  bool
				Following, Followers                                               struct{ Nodes []struct{ DatabaseID int64 } }
			}
		}
		require.NoError(a.t, w.query(a.t.Context(), fmt.Sprintf(`{ user(id: %d) { followingCount followerCount likesReceivedCount
			likesGivenCount viewerIsFollowing following(first: 100) { nodes { databaseId } } followers(first: 100) { nodes { databaseId } } } }`,
			other.id), &answer))
		var following, followers, received, given int64
		for e := range a.follows {
			if e.from == other.id {
				following++
			}
			if e.to == other.id {
				followers++
			}
		}
		for e := range a.likes {
			if e.from == other.id {
				given++
			}
			if a.authors[e.to] == other.id {
				received++
			}
		}
		u := answer.User
		if u.FollowingCount != following || u.FollowerCount != followers || u.LikesGivenCount != given || u.LikesReceivedCount != received {
			a.differ("user %d says to user %d: follows %d, followers %d, likes given %d and received %d; the rows are %d, %d, %d, %d", other.id, w.id,
				u.FollowingCount, u.FollowerCount, u.LikesGivenCount, u.LikesReceivedCount, following, followers, given, received)
		}
		if now := a.follows[edge{w.id, other.id}]; now != u.ViewerIsFollowing {
			a.differ("user %d says to user %d that they follow: %v, the row says %v", other.id, w.id, u.ViewerIsFollowing, now)
		}
		for _, n := range u.Following.Nodes {
			if !a.follows[edge{other.id, n.DatabaseID}] {
				a.differ("the list of those whom %d follows has %d, there is no row", other.id, n.DatabaseID)
			}
		}
		if int64(len(u.Following.Nodes)) != following || int64(len(u.Followers.Nodes)) != followers {
			a.differ("the lists of user %d have %d and %d, the rows are %d and %d", other.id, len(u.Following.Nodes), len(u.Followers.Nodes), following, followers)
		}
	}
}

// commentLists compares the lists of comments, their newest page, with the rows.
func (a *auditor) commentLists(w *worker) {
	rows := map[int64][]string{}
	a.rows("interaction", "SELECT video_id, 0, content FROM comments ORDER BY created_at DESC, id DESC", func(video, _ int64, text string) {
		rows[video] = append(rows[video], text)
	})
	for video := range a.authors {
		var answer struct {
			Video struct {
				CommentCount int
				Comments     struct{ Nodes []struct{ Content string } }
			}
		}
		require.NoError(a.t, w.query(a.t.Context(), fmt.Sprintf(`{ video(id: %d) { commentCount comments(first: 100) { nodes { content } } } }`, video), &answer))
		var said []string
		for _, node := range answer.Video.Comments.Nodes {
			said = append(said, node.Content)
		}
		if newest := rows[video][:min(100, len(rows[video]))]; !slices.Equal(said, newest) {
			a.differ("video %d shows %d comments that are not those of the rows, %d", video, len(said), len(newest))
		}
		if answer.Video.CommentCount != len(rows[video]) {
			a.differ("video %d says it has %d comments, the rows are %d", video, answer.Video.CommentCount, len(rows[video]))
		}
	}
}

// chats compares what a worker reads of the conversations with the rows: the newest page.
func (a *auditor) chats(w *worker, workers []*worker) {
	rows := map[int64][]string{}
	a.rows("social", fmt.Sprintf("SELECT from_id, to_id, content FROM messages WHERE from_id = %d OR to_id = %d ORDER BY created_at, id", w.id, w.id),
		func(from, to int64, text string) { rows[from+to-w.id] = append(rows[from+to-w.id], text) })
	for _, other := range workers {
		if other == w {
			continue
		}
		var answer struct {
			List []struct{ Content string } `json:"message_list"`
		}
		require.NoError(a.t, w.rest(a.t.Context(), http.MethodGet, "/douyin/message/chat/", &answer, "to_user_id", text(other.id), "pre_msg_time", "0"))
		var said []string
		for _, message := range answer.List {
			said = append(said, message.Content)
		}
		all := rows[other.id]
		if tail := all[len(all)-min(len(said), len(all)):]; !slices.Equal(said, tail) || (len(said) == 0) != (len(all) == 0) {
			a.differ("user %d reads of the conversation with %d other messages than the rows: %q, not %q", w.id, other.id, said, tail)
		}
	}
}

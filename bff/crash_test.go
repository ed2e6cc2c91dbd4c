package bff_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"minidouyin/services/testenv/s3test"
)

// The power is cut again and again while people register, publish, like, comment, follow and chat: nothing that was
// acknowledged is lost, counters fit the rows, and no file or row is left without its other half.
func TestPowerCut(t *testing.T) {
	t.Run("local files", func(t *testing.T) {
		p := newProduct(t, "one process", "", "--ffmpeg=-", "--sign-in-limit=0")
		p.cutPower(t)
	})
	t.Run("S3", func(t *testing.T) {
		server := s3test.Start(t)
		p := newProduct(t, "one process", "", "--ffmpeg=-", "--sign-in-limit=0", "--store="+server.Store("media"),
			"--s3-access-key="+server.AccessKey, "--s3-secret-key="+server.SecretKey)
		p.blobs = filepath.Join(server.Folder(), "media")
		p.cutPower(t)
	})
	t.Run(onCluster, func(t *testing.T) {
		newProduct(t, onCluster, "", "--ffmpeg=-", "--sign-in-limit=0").cutPower(t)
	})
}

func (p *product) cutPower(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	_, token := p.register(t, "ann")
	ledger := &ledger{token: token}
	require.True(t, ledger.publish(p.site, sampleVideo(t), "the first"))
	for range 4 {
		before := ledger.lines()
		var workers sync.WaitGroup
		for worker := range 4 {
			workers.Go(func() { ledger.work(p.site, worker, sampleVideo(t)) })
		}
		require.Eventually(t, func() bool { return ledger.lines() > before }, patience, time.Millisecond) // there is something to lose
		time.Sleep(time.Duration(300+random.IntN(700)) * time.Millisecond)
		p.kill(t)
		workers.Wait()
		p.startAll(t)
		if p.cluster != nil { // likes that nobody was told of may count only now
			require.Eventually(t, func() bool {
				n, err := p.cluster.WaitingLikes(t.Context())
				return err == nil && n == 0
			}, patience, 20*time.Millisecond)
			p.emptyRedis(t) // a write that was cut off may have left an old value for 30 seconds
		}
		ledger.check(t, p.site)
	}
	t.Logf("kept: %d users, %d videos, %d likes, %d comments, %d messages", len(ledger.users), len(ledger.videos),
		len(ledger.likers), len(ledger.comments), len(ledger.messages))
	require.NotEmpty(t, ledger.videos)
	require.NotEmpty(t, ledger.comments)
}

// ledger remembers what the product has acknowledged.
type ledger struct {
	token string
	mu    sync.Mutex
	users map[string]string // name → token

	videos, comments, messages, likers []string
}

// call returns nil unless the product has acknowledged the request.
func (l *ledger) call(s *site, path string, query url.Values) map[string]any {
	response, err := http.Post(s.url+path+"?"+query.Encode(), "", nil)
	if err != nil {
		return nil
	}
	defer func() { _ = response.Body.Close() }()
	var body map[string]any
	if json.NewDecoder(response.Body).Decode(&body) != nil || body["status_code"] != 0.0 {
		return nil
	}
	return body
}

func (l *ledger) note(list *[]string, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*list = append(*list, text)
}

// lines returns how many comments were acknowledged, and as many messages.
func (l *ledger) lines() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return min(len(l.comments), len(l.messages))
}

func (l *ledger) publish(s *site, video []byte, title string) bool {
	body, contentType := publishForm(l.token, title, video)
	response, err := http.Post(s.url+"/douyin/publish/action/", contentType, body)
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	var answer map[string]any
	if json.NewDecoder(response.Body).Decode(&answer) != nil || answer["status_code"] != 0.0 {
		return false
	}
	l.note(&l.videos, title)
	return true
}

// work does this and that until the product no longer answers.
func (l *ledger) work(s *site, worker int, video []byte) {
	for n := 0; ; n++ {
		name := fmt.Sprintf("u%d-%d-%d", worker, n, time.Now().UnixNano()%1e9)
		session := l.call(s, "/douyin/user/register/", url.Values{"username": {name}, "password": {"secret"}})
		if session == nil {
			return
		}
		token := session["token"].(string)
		l.mu.Lock()
		if l.users == nil {
			l.users = map[string]string{}
		}
		l.users[name] = token
		l.mu.Unlock()
		if l.call(s, "/douyin/favorite/action/", url.Values{"token": {token}, "video_id": {"1"}, "action_type": {"1"}}) != nil {
			l.note(&l.likers, name)
		}
		if l.call(s, "/douyin/comment/action/", url.Values{"token": {token}, "video_id": {"1"}, "action_type": {"1"}, "comment_text": {name}}) != nil {
			l.note(&l.comments, name)
		}
		if l.call(s, "/douyin/message/action/", url.Values{"token": {token}, "to_user_id": {"1"}, "action_type": {"1"}, "content": {name}}) != nil {
			l.note(&l.messages, name)
		}
		l.publish(s, video, name)
	}
}

// emptyRedis empties the Redis of a cluster, whose log of likes holds nothing any more.
func (p *product) emptyRedis(t *testing.T) {
	t.Helper()
	options, err := redis.ParseURL(p.cluster.RedisURL())
	require.NoError(t, err)
	client := redis.NewClient(options)
	defer client.Close()
	require.NoError(t, client.FlushAll(t.Context()).Err())
}

// check compares the product with the ledger.
func (l *ledger) check(t *testing.T, s *site) {
	titles, files := map[string]bool{}, map[string]bool{}
	var first map[string]any
	for _, v := range s.ok(t, "GET", "/douyin/publish/list/", "user_id", "1")["video_list"].([]any) {
		video := v.(map[string]any)
		first = video // the oldest comes last
		titles[video["title"].(string)] = true
		for _, field := range []string{"play_url", "cover_url"} {
			_, key, _ := strings.Cut(video[field].(string), "/media/")
			path := filepath.Join(s.blobs, filepath.FromSlash(key))
			files[path] = true
			_, err := os.Stat(path)
			require.NoError(t, err, "a listed file is missing")
		}
	}
	for _, title := range l.videos {
		require.True(t, titles[title], "the video %s is lost", title)
	}
	if s.removals != nil {
		for key := range s.removals(t) {
			files[filepath.Join(s.blobs, filepath.FromSlash(key))] = true
		}
	}
	for _, path := range s.files(t) {
		require.True(t, files[path], "the file %s belongs to no video", path)
	}

	written := map[string]bool{}
	comments := s.ok(t, "GET", "/douyin/comment/list/", "video_id", "1")["comment_list"].([]any)
	for _, c := range comments {
		written[c.(map[string]any)["content"].(string)] = true
	}
	for _, content := range l.comments {
		require.True(t, written[content], "the comment %s is lost", content)
	}
	require.Equal(t, json.Number(fmt.Sprint(len(comments))), first["comment_count"])

	likes := 0
	for name, token := range l.users {
		user := s.ok(t, "GET", "/douyin/user/", "token", token)["user"].(map[string]any)
		require.Equal(t, name, user["name"])
		if user["favorite_count"] == json.Number("1") {
			likes++
		}
		s.ok(t, "POST", "/douyin/user/login/", "username", name, "password", "secret")
	}
	for _, name := range l.likers {
		liked := s.ok(t, "GET", "/douyin/favorite/list/", "user_id", s.viewerID(t, l.users[name]))["video_list"].([]any)
		require.Len(t, liked, 1, "the like of %s is lost", name)
	}
	// A like may have been stored without its acknowledgement getting through, also of a user whose registration did
	// not: the counter must fit all of them, so it is no less than what is known.
	count, err := first["favorite_count"].(json.Number).Int64()
	require.NoError(t, err)
	require.GreaterOrEqual(t, int(count), likes)

	for _, name := range l.messages {
		chat := s.ok(t, "GET", "/douyin/message/chat/", "token", l.users[name], "to_user_id", "1")["message_list"].([]any)
		require.Len(t, chat, 1, "the message of %s is lost", name)
	}
}

func (s *site) viewerID(tb testing.TB, token string) string {
	tb.Helper()
	return s.ok(tb, "GET", "/douyin/user/", "token", token)["user"].(map[string]any)["id"].(json.Number).String()
}

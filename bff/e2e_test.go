package bff_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"minidouyin/bff/cluster"
	"minidouyin/services/testenv/mysqltest"
	"minidouyin/services/testenv/s3test"
	"minidouyin/services/testenv/testserver"
)

// build builds the product once for all tests of this package, in a folder that is removed after them.
var build = sync.OnceValues(func() (string, error) {
	path := filepath.Join(programs, "douyin")
	out, err := exec.Command("go", "build", "-o", path, "./cmd/douyin").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return path, nil
})

// product is the real binary as one or four processes over one data folder, or as a cluster.
type product struct {
	*site
	start     func(tb testing.TB, p *product)
	processes []*exec.Cmd
	services  map[string]string // addresses by name, where they are processes
	cluster   *cluster.Cluster  // nil unless it is one
}

var servingPattern = regexp.MustCompile(`msg=serving .*(?:url=http://|addr=)([0-9.:]+)`)

// launch starts the binary and waits until it says where it serves.
func (p *product) launch(tb testing.TB, args ...string) (addr string) {
	tb.Helper()
	return p.begin(tb, args...)(tb)
}

// begin starts the binary and returns what waits until it says where it serves.
func (p *product) begin(tb testing.TB, args ...string) (wait func(testing.TB) (addr string)) {
	tb.Helper()
	path, err := build()
	require.NoError(tb, err)
	process := exec.Command(path, args...)
	stderr, err := process.StderrPipe()
	require.NoError(tb, err)
	require.NoError(tb, process.Start())
	p.processes = append(p.processes, process)
	found := make(chan string, 1)
	go func() { // ends with the process
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if match := servingPattern.FindStringSubmatch(lines.Text()); match != nil {
				found <- match[1]
			}
			if strings.Contains(lines.Text(), "level=ERROR") || strings.HasPrefix(lines.Text(), "douyin:") {
				fmt.Fprintln(os.Stderr, lines.Text())
			}
		}
	}()
	return func(tb testing.TB) (addr string) {
		tb.Helper()
		select {
		case addr = <-found:
		case <-time.After(patience):
			require.FailNow(tb, "the product does not serve", "%v", args)
		}
		return addr
	}
}

// startAll starts the product and waits until it is ready.
func (p *product) startAll(tb testing.TB) {
	tb.Helper()
	p.processes = nil
	p.start(tb, p)
	require.Eventually(tb, func() bool {
		response, err := http.Get(p.url + "/readyz")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	}, patience, 20*time.Millisecond)
}

// kill ends all processes at once, as a power cut does.
func (p *product) kill(tb testing.TB) {
	tb.Helper()
	if p.cluster != nil {
		for _, part := range p.cluster.Parts() {
			require.NoError(tb, p.cluster.Kill(part))
		}
	}
	for _, process := range p.processes {
		_ = process.Process.Kill()
	}
	for _, process := range p.processes {
		_ = process.Wait()
	}
}

// stop ends the processes in order, the HTTP server first, and expects them to end well.
func (p *product) stop(tb testing.TB) {
	tb.Helper()
	if p.cluster != nil {
		for _, part := range slices.Backward(p.cluster.Parts()) {
			require.NoError(tb, p.cluster.Stop(tb.Context(), part))
		}
	}
	for i := len(p.processes) - 1; i >= 0; i-- {
		require.NoError(tb, p.processes[i].Process.Signal(syscall.SIGTERM))
		require.NoError(tb, p.processes[i].Wait(), "%v", p.processes[i].Args)
	}
}

// topologies are the ways the product runs. dsn is "" for SQLite files in the data folder; flags are those of the HTTP
// server.
var topologies = map[string]func(tb testing.TB, p *product, dsn string, flags []string){
	"one process": func(tb testing.TB, p *product, dsn string, flags []string) {
		p.url = "http://" + p.launch(tb, append(flags, "--addr=127.0.0.1:0", "--data="+p.data, "--dsn="+dsn)...)
	},
	"four processes": func(tb testing.TB, p *product, dsn string, flags []string) {
		args := append([]string{"bff", "--addr=127.0.0.1:0", "--data=" + p.data}, flags...)
		for _, service := range []string{"basics", "interaction", "social"} {
			addr := p.launch(tb, service, "--listen=127.0.0.1:0", "--data="+p.data, "--dsn="+dsn)
			args = append(args, "--"+service+"="+addr)
			p.services[service] = addr
		}
		p.url = "http://" + p.launch(tb, args...)
	},
	onCluster: func(tb testing.TB, p *product, _ string, flags []string) {
		if p.cluster == nil {
			p.startCluster(tb, flags)
			return
		}
		for _, part := range p.cluster.Parts() {
			require.NoError(tb, p.cluster.Start(tb.Context(), part))
		}
	},
}

// onCluster is the topology with two instances of everything behind nginx, and databases of its own.
const onCluster = "cluster"

// startCluster starts a cluster that acknowledges likes when the counts have them too, as the other topologies do.
func (p *product) startCluster(tb testing.TB, flags []string) {
	tb.Helper()
	path, err := build()
	require.NoError(tb, err)
	versitygw, err := s3test.Find()
	require.NoError(tb, err)
	p.data, err = os.MkdirTemp("", "cluster") // paths of sockets must be short
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = os.RemoveAll(p.data) })
	p.blobs = filepath.Join(p.data, "s3", "files", "douyin")
	p.temporary = []string{filepath.Join(p.data, "bff-1", "tmp"), filepath.Join(p.data, "bff-2", "tmp")}
	p.removals = func(tb testing.TB) map[string]bool {
		tb.Helper()
		db, err := sql.Open("mysql", strings.TrimPrefix(p.cluster.DSN("basics"), "mysql://"))
		require.NoError(tb, err)
		defer func() { _ = db.Close() }()
		rows, err := db.QueryContext(tb.Context(), "SELECT file_key FROM removals")
		require.NoError(tb, err)
		defer func() { _ = rows.Close() }()
		keys := map[string]bool{}
		for rows.Next() {
			var key string
			require.NoError(tb, rows.Scan(&key))
			keys[key] = true
		}
		require.NoError(tb, rows.Err())
		return keys
	}
	ctx, cancel := context.WithTimeout(tb.Context(), 3*patience)
	defer cancel()
	p.cluster, err = cluster.Start(ctx, cluster.Config{Folder: p.data, Douyin: path, VersityGW: versitygw,
		Flags: map[string][]string{"interaction": {"--like-ack=stored"}, "bff": flags}})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, p.cluster.Close()) })
	p.url = p.cluster.URL()
}

func newProduct(tb testing.TB, topology, dsn string, flags ...string) *product {
	tb.Helper()
	testserver.SkipIfShort(tb)
	p := &product{site: newFolders(tb), services: map[string]string{}}
	p.start = func(tb testing.TB, p *product) { topologies[topology](tb, p, dsn, flags) }
	p.startAll(tb)
	tb.Cleanup(func() { p.kill(tb) })
	return p
}

// One user's day with the real binary, over REST and GraphQL; then the power is cut and everything is still there.
func TestDay(t *testing.T) {
	for topology := range topologies {
		databases := []string{"SQLite", "MySQL"}
		if topology == onCluster {
			databases = []string{"MariaDB, Redis, etcd and S3"}
		}
		for _, database := range databases {
			t.Run(topology+"/"+database, func(t *testing.T) {
				dsn := ""
				if database == "MySQL" {
					dsn = mysqltest.Database(t)
				}
				p := newProduct(t, topology, dsn)
				d := p.day(t)
				p.evening(t, d)
				p.kill(t)
				p.startAll(t)
				p.evening(t, d)
				p.stop(t)
				p.startAll(t)
				p.evening(t, d)
			})
		}
	}
}

type day struct {
	annID, annToken, bobID, bobToken, videoID string
}

// day is what ann and bob do.
func (s *site) day(t *testing.T) day {
	var d day
	d.annID, d.annToken = s.register(t, "ann")
	d.bobID, d.bobToken = s.register(t, "bob")
	login := s.ok(t, "POST", "/douyin/user/login/", "username", "ANN", "password", "secret")
	require.Equal(t, d.annID, login["user_id"].(json.Number).String())

	d.videoID = s.publish(t, d.annToken, "my day")
	s.ok(t, "POST", "/douyin/favorite/action/", "token", d.bobToken, "video_id", d.videoID, "action_type", "1")
	s.ok(t, "POST", "/douyin/comment/action/", "token", d.bobToken, "video_id", d.videoID, "action_type", "1", "comment_text", "lovely")
	s.ok(t, "POST", "/douyin/relation/action/", "token", d.bobToken, "to_user_id", d.annID, "action_type", "1")
	a := s.graphql(t, d.annToken, `mutation($bob: ID!) {
		follow(input: {userId: $bob}) { user { viewerIsFollowing followerCount } }
		sendMessage(input: {userId: $bob, content: "good evening"}) { message { direction } }
		updateProfile(input: {signature: "hello world"}) { user { signature } }
	}`, map[string]any{"bob": d.bobID})
	require.JSONEq(t, `{"data": {"follow": {"user": {"viewerIsFollowing": true, "followerCount": 1}},
		"sendMessage": {"message": {"direction": "SENT"}}, "updateProfile": {"user": {"signature": "hello world"}}}}`, a.text)

	gone := s.publish(t, d.bobToken, "a mistake")
	a = s.graphql(t, d.bobToken, `mutation($id: ID!) { deleteVideo(input: {videoId: $id}) { deletedVideoId } }`, map[string]any{"id": gone})
	require.NotContains(t, a.text, "errors")
	return d
}

// evening looks at all that the day has left.
func (s *site) evening(t *testing.T, d day) {
	var video map[string]any
	require.Eventually(t, func() bool { // of several instances one may show the counts of a moment ago
		videos := s.ok(t, "GET", "/douyin/feed/", "token", d.bobToken)["video_list"].([]any)
		require.Len(t, videos, 1)
		video = videos[0].(map[string]any)
		return video["favorite_count"] == json.Number("1") && video["comment_count"] == json.Number("1")
	}, patience, 50*time.Millisecond)
	require.Equal(t, "my day", video["title"])
	require.Equal(t, true, video["is_favorite"])
	author := video["author"].(map[string]any)
	require.Equal(t, "hello world", author["signature"])
	require.Equal(t, true, author["is_follow"])
	require.Equal(t, json.Number("1"), author["work_count"])
	for field, contentType := range map[string]string{"play_url": "video/mp4", "cover_url": "image/jpeg"} {
		require.True(t, strings.HasPrefix(video[field].(string), s.url), video[field])
		r, err := http.NewRequest("GET", video[field].(string), nil)
		require.NoError(t, err)
		r.Header.Set("Range", "bytes=0-99")
		a := s.do(t, r)
		require.Equal(t, http.StatusPartialContent, a.status)
		require.Len(t, a.text, 100)
		require.Equal(t, contentType, a.header.Get("Content-Type"))
	}
	comments := s.ok(t, "GET", "/douyin/comment/list/", "video_id", d.videoID)["comment_list"].([]any)
	require.Equal(t, "lovely", comments[0].(map[string]any)["content"])
	friends := s.ok(t, "GET", "/douyin/relation/friend/list/", "user_id", d.annID, "token", d.annToken)["user_list"].([]any)
	require.Equal(t, "good evening", friends[0].(map[string]any)["message"])
	a := s.graphql(t, d.bobToken, `{ viewer { name friends { nodes { user { name } latestMessage { content direction } } } } }`, nil)
	require.JSONEq(t, `{"data": {"viewer": {"name": "bob", "friends": {"nodes": [
		{"user": {"name": "ann"}, "latestMessage": {"content": "good evening", "direction": "RECEIVED"}}]}}}}`, a.text)
	require.Eventually(t, func() bool { return len(s.files(t)) == 2 }, patience, 50*time.Millisecond,
		"only the files of the one video stay")
}

// The command line refuses what is wrong in one line that says what to do.
func TestCommandLine(t *testing.T) {
	path, err := build()
	require.NoError(t, err)
	data := t.TempDir()
	p := newProduct(t, "one process", "")
	_, port, _ := strings.Cut(strings.TrimPrefix(p.url, "http://"), ":")
	for _, c := range []struct {
		name   string
		args   []string
		env    []string
		status int
		says   string
	}{
		{"an unknown flag", []string{"--colour=red"}, nil, 2, "unknown flag --colour"},
		{"a size that is none", []string{"--max-upload=big"}, nil, 2, "--max-upload"},
		{"a duration that is none", []string{"--token-ttl=soon"}, nil, 2, "--token-ttl"},
		{"a wrong value in the environment", nil, []string{"DOUYIN_LIST_LIMIT=many"}, 2, "--list-limit"},
		{"a weak key", []string{"--jwt-key=secret"}, nil, 2, "--jwt-key: a key has at least 32 bytes"},
		{"a public URL that is none", []string{"--public-url=example.org"}, nil, 2, "--public-url"},
		{"an origin that is none", []string{"--cors-origins=example.org"}, nil, 2, "--cors-origins"},
		{"a proxy that is none", nil, []string{"DOUYIN_TRUSTED_PROXIES=10.0.0.0/8,nginx"}, 2, "--trusted-proxies"},
		{"a limit below zero", []string{"--rate-limit=-1"}, nil, 2, "--rate-limit"},
		{"trusted documents that are not there", []string{"--trusted-documents=/nowhere.json"}, nil, 2, "--trusted-documents: open /nowhere.json"},
		{"nothing to trust", []string{"--no-web"}, []string{"DOUYIN_TRUSTED_ONLY=true"}, 2, "--trusted-only: needs --trusted-documents"},
		{"a port in use", []string{"--addr=127.0.0.1:" + port, "--data=" + data}, nil, 1, "choose another address"},
		{"a data folder in use", []string{"--addr=127.0.0.1:0", "--data=" + p.data}, nil, 1, "another process uses the data folder"},
		{"a database that is away", []string{"--addr=127.0.0.1:0", "--data=" + data, "--dsn=mysql://root:hidden@127.0.0.1:1/x"}, nil, 1, "open database"},
		{"a database of an unknown kind", []string{"--dsn=postgres://x"}, nil, 2, "--dsn: the DSN must begin with"},
		{"a database without a name", []string{"basics", "--dsn=mysql://root@127.0.0.1:3306/"}, nil, 2, "--dsn: the DSN names no database"},
		{"an address that is none", []string{"--addr=foo"}, nil, 2, "--addr"},
		{"a port that cannot be", nil, []string{"DOUYIN_ADDR=127.0.0.1:99999"}, 2, "--addr"},
		{"no data folder", []string{"--data="}, nil, 2, "--data"},
		{"a store of an unknown kind", []string{"--store=ftp://host"}, nil, 2, "--store: unknown scheme \"ftp\""},
		{"a store that is away", []string{"--addr=127.0.0.1:0", "--data=" + data, "--store=s3://videos?endpoint=http://127.0.0.1:1",
			"--s3-access-key=a"}, []string{"DOUYIN_S3_SECRET_KEY=hidden@"}, 1, "http://127.0.0.1:1 does not answer"},
		{"half of the keys of the store", nil, []string{"DOUYIN_S3_ACCESS_KEY=a"}, 2, "--s3-access-key, --s3-secret-key: one needs the other"},
		{"signed addresses of local files", []string{"--media-urls=presigned"}, nil, 2, "--media-urls: presigned needs a --store on S3"},
		{"public addresses of nowhere", []string{"--media-urls=public"}, nil, 2, "--media-base: with --media-urls=public"},
		{"a base that nobody uses", []string{"--media-base=https://cdn.example.org"}, nil, 2, "--media-base: needs --media-urls"},
		{"an ffmpeg that is not there", []string{"--ffmpeg=/nowhere/ffmpeg"}, nil, 2, "--ffmpeg"},
		{"an etcd that is no address", []string{"basics", "--etcd=http://etcd"}, nil, 2, "--etcd"},
		{"an etcd that is no address, from the environment", []string{"bff"}, []string{"DOUYIN_ETCD=etcd"}, 2, "--etcd"},
		{"an address that nobody can connect to", []string{"social", "--etcd=etcd:2379", "--advertise=0.0.0.0:8883"}, nil, 2, "--advertise"},
		{"an address for nobody", []string{"social", "--advertise=10.0.0.7:8883"}, nil, 2, "--advertise: needs --etcd"},
		{"a wildcard and no way to etcd", []string{"basics", "--listen=:0", "--data=" + data, "--etcd=nowhere.invalid:2379"}, nil, 1, "name one with --advertise=HOST:"},
		{"an address of a service that is none", []string{"bff", "--basics=a:1,b"}, nil, 2, "--basics"},
		{"a replica of SQLite", []string{"social", "--replicas=mysql://root:hidden@10.0.0.8:3306/x"}, nil, 2, "--replicas: only a MySQL database has replicas"},
		{"a replica without a name", []string{"--dsn=mysql://root:hidden@10.0.0.7:3306/x", "--replicas=mysql://root:hidden@10.0.0.8:3306/"}, nil, 2, "--replicas: the DSN names no database"},
		{"likes logged nowhere", []string{"--addr=127.0.0.1:0", "--data=" + data, "--like-ack=logged"}, nil, 2, "--like-ack: logged needs --redis"},
		{"likes of a service logged nowhere", []string{"interaction"}, []string{"DOUYIN_LIKE_ACK=logged"}, 2, "--like-ack: logged needs --redis"},
		{"too few connections", []string{"--db-connections=1"}, nil, 2, "--db-connections"},
		{"likes logged nowhere", []string{"--like-ack=logged"}, nil, 2, "--like-ack: logged needs --redis"},
		{"likes logged nowhere, one service", []string{"interaction"}, []string{"DOUYIN_LIKE_ACK=logged"}, 2, "--like-ack: logged needs --redis"},
		{"a level of the log that is none", []string{"--log-level=loud"}, nil, 2, "--log-level: \"loud\" is not debug, info, warn or error"},
		{"an address of the metrics that is none", []string{"--metrics=9090"}, nil, 2, "--metrics: \"9090\" is not an address"},
		{"an address of a service to listen on that is none", []string{"social", "--listen=8883"}, nil, 2, "--listen: \"8883\" is not an address"},
		{"a data folder that cannot be made", []string{"--addr=127.0.0.1:0", "--data=/dev/null/data"}, nil, 1, "choose another with --data"},
		{"a part to ask that is nowhere", []string{"health", "--addr=here"}, nil, 2, "--addr: \"here\" is not an address"},
		{"counts of an unknown database", []string{"reconcile", "--dsn=postgres://x"}, nil, 2, "--dsn: the DSN must begin with"},
		{"counts of data that is not there", []string{"reconcile", "--data=" + t.TempDir()}, nil, 1, "name their folder with --data"},
		{"help", []string{"--help"}, nil, 0, "($DOUYIN_DEMO)"},
		{"help of a part", []string{"basics", "--help"}, nil, 0, "--listen"},
		{"help of the server alone", []string{"bff", "--help"}, nil, 0, "--social=127.0.0.1:8883"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			command := exec.CommandContext(ctx, path, c.args...)
			command.Env = append(os.Environ(), c.env...)
			out, _ := command.CombinedOutput()
			require.Equal(t, c.status, command.ProcessState.ExitCode(), "%s", out)
			require.Contains(t, string(out), c.says)
			require.NotContains(t, string(out), "hidden@")
			if c.status != 0 {
				require.Equal(t, 1, strings.Count(string(out), "\n"), "%s", out)
			}
		})
	}
}

// The demo fills an empty data folder with a world that one can sign in to, once.
func TestDemo(t *testing.T) {
	p := newProduct(t, "one process", "", "--demo")
	for range 2 {
		session := p.ok(t, "POST", "/douyin/user/login/", "username", "nova", "password", "try-douyin")
		feed := p.ok(t, "GET", "/douyin/feed/", "token", session["token"].(string))["video_list"].([]any)
		require.Len(t, feed, 10)
		for _, v := range feed {
			for _, field := range []string{"play_url", "cover_url"} {
				response, err := http.Head(v.(map[string]any)[field].(string))
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
				require.Equal(t, http.StatusOK, response.StatusCode)
			}
		}
		friends := p.ok(t, "GET", "/douyin/relation/friend/list/", "user_id", session["user_id"].(json.Number).String(), "token", session["token"].(string))
		require.NotEmpty(t, friends["user_list"])
		p.stop(t)
		p.startAll(t)
	}
	p.stop(t)
	require.NoError(t, os.WriteFile(filepath.Join(p.data, "demo.unfinished"), nil, 0o600))
	path, err := build()
	require.NoError(t, err)
	out, err := exec.Command(path, "--addr=127.0.0.1:0", "--data="+p.data, "--demo").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "cut off in the middle")
}

// A running request is finished before the process ends.
func TestGracefulStop(t *testing.T) {
	p := newProduct(t, "one process", "")
	_, token := p.register(t, "ann")
	body, w := io.Pipe()
	r, err := http.NewRequest("POST", p.url+"/douyin/favorite/action/", body)
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Expect", "100-continue") // which the server answers when it begins to read the body
	read := make(chan struct{})
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(read) }}))
	answered := make(chan answer, 1)
	go func() { answered <- p.do(t, r) }()
	_, err = io.WriteString(w, "token="+token)
	require.NoError(t, err)
	<-read
	require.NoError(t, p.processes[0].Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, patience, 5*time.Millisecond, "a server that stops takes no more connections")
	_, err = io.WriteString(w, "&video_id=99&action_type=1")
	require.NoError(t, err)
	require.NoError(t, w.Close())
	a := <-answered
	require.Equal(t, json.Number("5"), a.json["status_code"], a.text)
	require.NoError(t, p.processes[0].Wait())
}

// Behind a proxy, connections that are kept are closed by an answer, and not while a request may be on its way. The
// server leaves half a second for that: when this test was not run in time it is repeated.
func TestFarewell(t *testing.T) {
	const left = 400 * time.Millisecond
	for !hearsFarewell(t, left) {
		t.Log("no request was in time, once more")
	}
}

// hearsFarewell stops a server and reports whether one of the requests that follow on each other is answered with the
// end of the connection. A connection that breaks within the time left is a failure.
func hearsFarewell(t *testing.T, left time.Duration) (heard bool) {
	p := newProduct(t, "one process", "", "--trusted-proxies=127.0.0.1/32")
	kept := &http.Client{Transport: &http.Transport{}}
	ask := func() (closed bool, err error) {
		response, err := kept.Get(p.url + "/healthz")
		if err != nil {
			return false, err
		}
		defer func() { _ = response.Body.Close() }()
		if _, err = io.Copy(io.Discard, response.Body); err != nil {
			return false, err
		}
		require.Equal(t, http.StatusOK, response.StatusCode)
		return response.Close, nil
	}
	before := time.Now() // the beginning of the last request that was answered as usual
	closed, err := ask()
	require.NoError(t, err)
	require.False(t, closed)
	require.NoError(t, p.processes[0].Process.Signal(syscall.SIGTERM))
	for !closed && err == nil {
		begin := time.Now()
		if closed, err = ask(); err != nil && time.Since(before) < left {
			require.NoError(t, err)
		}
		before = begin
	}
	require.NoError(t, p.processes[0].Wait())
	return closed
}

// Without one of the services the parts of a page that do not need it still come, REST says 503, and everything is
// well again when the service is back.
func TestServiceAway(t *testing.T) {
	for _, topology := range []string{"four processes", onCluster} {
		t.Run(topology, func(t *testing.T) { missInteraction(t, newProduct(t, topology, "")) })
	}
}

func missInteraction(t *testing.T, p *product) {
	_, token := p.register(t, "ann")
	p.publish(t, token, "still here")
	p.killInteraction(t)

	const query = `{ feed { nodes { title author { name } likeCount comments { nodes { content } } } } }`
	a := p.graphql(t, "", query, nil)
	require.Contains(t, a.text, `"data":{"feed":{"nodes":[{"title":"still here","author":{"name":"ann"},"likeCount":null,"comments":null}]}}`)
	require.Contains(t, a.text, `"code":"UPSTREAM_UNAVAILABLE"`)
	require.NotContains(t, a.text, "127.0.0.1")
	rest := p.rest(t, "GET", "/douyin/feed/")
	require.Equal(t, http.StatusServiceUnavailable, rest.status)
	require.JSONEq(t, `{"status_code": 9, "status_msg": "a part of the service is away, please try again", "video_list": [], "next_time": 0}`, rest.text)
	like := p.rest(t, "POST", "/douyin/favorite/action/", "token", token, "video_id", "1", "action_type", "1")
	require.Equal(t, http.StatusServiceUnavailable, like.status)
	require.Equal(t, http.StatusServiceUnavailable, p.rest(t, "GET", "/readyz").status)
	require.Equal(t, http.StatusOK, p.rest(t, "GET", "/healthz").status)

	p.startInteraction(t)
	require.Eventually(t, func() bool {
		return !strings.Contains(p.graphql(t, "", query, nil).text, "errors")
	}, patience, 20*time.Millisecond)
}

// killInteraction ends the service of likes and comments, all instances of it.
func (p *product) killInteraction(tb testing.TB) {
	tb.Helper()
	if p.cluster != nil {
		require.NoError(tb, p.cluster.Kill("interaction-1"))
		require.NoError(tb, p.cluster.Kill("interaction-2"))
		return
	}
	interaction := p.processes[1]
	require.NoError(tb, interaction.Process.Kill())
	_ = interaction.Wait()
}

func (p *product) startInteraction(tb testing.TB) {
	tb.Helper()
	if p.cluster != nil {
		require.NoError(tb, p.cluster.Start(tb.Context(), "interaction-1"))
		require.NoError(tb, p.cluster.Start(tb.Context(), "interaction-2"))
		return
	}
	p.launch(tb, "interaction", "--listen="+p.services["interaction"], "--data="+p.data)
}

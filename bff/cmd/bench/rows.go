//go:build unix

package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httputil"
	"strings"
)

const feedFields = `databaseId title playUrl coverUrl likeCount commentCount %s author { databaseId name followingCount ` +
	`followerCount %s avatarUrl backgroundUrl signature likesReceivedCount videoCount likesGivenCount }`

var (
	viewerFeed   = fmt.Sprintf("{ feed(first: 30) { nodes { "+feedFields+" } } }", "viewerHasLiked", "viewerIsFollowing")
	publicFeed   = fmt.Sprintf("query PublicFeed { feed(first: 30) { nodes { "+feedFields+" } } }", "", "")
	publicFeedID = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(publicFeed)))
)

// row is one kind of request that is measured.
type row struct {
	name     string
	items    string             // path of what is counted in the answer, such as data.feed.nodes; "" = the answer itself
	count    int                // of its items or fields; 0 = the answer is no JSON
	requests int                // that differ
	request  func(i int) string // the i-th of them
	write    bool               // every answer is looked at
	fresh    bool               // the requests are other ones in each run
	clients  int                // that ask at once, 0 = as many as wrk has by default here
}

// site makes requests to a host. tokens are those of the users, by id.
type site struct {
	host   string
	tokens []string
}

// request returns the text of a request on behalf of one of many clients.
func (s site) request(client int, method, path, body string, headers ...string) string {
	headers = append(headers, fmt.Sprintf("X-Forwarded-For: 10.0.%d.%d", client/250%250, client%250+1), "Host: "+s.host)
	if method == http.MethodPost {
		headers = append(headers, "Content-Type: application/json", fmt.Sprintf("Content-Length: %d", len(body)))
	}
	return method + " " + path + " HTTP/1.1\r\n" + strings.Join(headers, "\r\n") + "\r\n\r\n" + body
}

// visit returns a row of requests without a token.
func (s site) visit(name, items string, count int, method, path, body string) row {
	return row{name: name, items: items, count: count, requests: 200, request: func(i int) string {
		return s.request(i, method, path, body)
	}}
}

// view returns a row of requests whose path ends with the token of a user; the users take turns.
func (s site) view(name, items string, count int, path string, headers ...string) row {
	return row{name: name, items: items, count: count, requests: len(s.tokens) - 1, request: func(i int) string {
		return s.request(i, http.MethodGet, path+"token="+s.tokens[i+1], "", headers...)
	}}
}

// rows returns the rows of the table, those that only read first.
func (s site) rows(d dataset) []row {
	query, _ := json.Marshal(map[string]string{"query": viewerFeed}) // strings always encode
	graph := s.visit("feed, POST /graphql, token", "data.feed.nodes", 30, http.MethodPost, "/graphql", string(query))
	graph.request = func(i int) string {
		return s.request(i, http.MethodPost, "/graphql", string(query), "Authorization: Bearer "+s.tokens[i%d.users+1])
	}
	write := func(name, items string, count, requests int, path func(i int) string) row {
		return row{name: name, items: items, count: count, requests: requests, write: true, request: func(i int) string {
			return s.request(i, http.MethodPost, path(i), "")
		}}
	}
	like := func(i, video int) string { // 1 likes, 2 takes it back
		return fmt.Sprintf("/douyin/favorite/action/?action_type=%d&video_id=%d&token=%s", i%2+1, video, s.tokens[i/2%d.users+1])
	}
	return []row{
		s.visit("healthz", "", 0, http.MethodGet, "/healthz", ""),
		s.visit("feed, visitor", "video_list", 30, http.MethodGet, "/douyin/feed/", ""),
		s.view("feed, token", "video_list", 30, "/douyin/feed/?"),
		s.view("feed, token, gzip", "video_list", 30, "/douyin/feed/?", "Accept-Encoding: gzip"),
		s.visit("feed, POST /graphql, visitor", "data.feed.nodes", 30, http.MethodPost, "/graphql", string(query)),
		graph,
		s.visit("public feed, GET documentId", "data.feed.nodes", 30, http.MethodGet, "/graphql?documentId="+publicFeedID, ""),
		s.view("user", "user", 11, fmt.Sprintf("/douyin/user/?user_id=%d&", d.users)),
		s.view("comments, 50", "comment_list", d.onNewest, fmt.Sprintf("/douyin/comment/list/?video_id=%d&", d.videos)),
		s.view("likes list, 100", "video_list", d.likesEach, "/douyin/favorite/list/?user_id=1&"),
		s.view("follows, 25", "user_list", d.followsEach, "/douyin/relation/follow/list/?user_id=1&"),
		write("like + unlike, spread", "", 2, 40*d.users, func(i int) string { return like(i, i/2*7%d.videos+1) }),
		write("like + unlike, one video", "", 2, 2*d.users, func(i int) string { return like(i, d.videos) }),
		write("comment", "comment", 4, 4000, func(i int) string {
			return fmt.Sprintf("/douyin/comment/action/?action_type=1&video_id=%d&comment_text=great&token=%s",
				i*7%d.videos+1, s.tokens[i%d.users+1])
		}),
		write("message", "", 2, 4000, func(i int) string {
			from, distance := i%d.users, 1+i/d.users%(d.users-1)
			return fmt.Sprintf("/douyin/message/action/?action_type=1&to_user_id=%d&content=hello&token=%s",
				(from+distance)%d.users+1, s.tokens[from+1])
		}),
	}
}

// growthRows returns the pages of the feed that are measured as the number of videos grows.
func (s site) growthRows(d dataset) []row {
	before := func(video int) string { return fmt.Sprintf("/douyin/feed/?latest_time=%d", timeOf(video)) }
	first := s.visit("first page, one client", "video_list", 30, http.MethodGet, "/douyin/feed/", "")
	deep := s.visit("one deep page, one client", "video_list", 30, http.MethodGet, before(d.videos/2), "")
	first.clients, deep.clients = 1, 1
	random := rand.New(rand.NewPCG(1, 2)) // goes on from run to run, so that none meets the pages of the one before
	return []row{first, deep, {name: "random places, 8 clients", clients: 8, requests: 60_000, items: "video_list", count: 30,
		fresh: true, request: func(i int) string { return s.request(i, http.MethodGet, before(31+random.IntN(d.videos-30)), "") }}}
}

// signIn fills in the tokens of the first users.
func (s *site) signIn(ctx context.Context, users int) error {
	s.tokens = make([]string, users+1)
	for id := 1; id <= users; id++ {
		request := s.request(id, http.MethodPost, "/douyin/user/login/?username="+userName(id)+"&password="+password, "")
		body, _, err := send(ctx, s.host, request)
		if err == nil {
			err = check(body, "", 4)
		}
		var session struct{ Token string }
		if err = errors.Join(err, json.Unmarshal(body, &session)); err != nil {
			return fmt.Errorf("sign in: %w", err)
		}
		s.tokens[id] = session.Token
	}
	return nil
}

// errNotCompressed is the error of a row that measures compression where there is none.
var errNotCompressed = errors.New("answers are not compressed")

// send sends a request and returns the body of the answer, unpacked, and the size of the whole answer on the wire. Its
// status must be 200, and it must be compressed when the request says that it may be.
func send(ctx context.Context, host, request string) (body []byte, size int64, err error) {
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(request)))
	if err != nil {
		return nil, 0, err
	}
	r.URL.Scheme, r.URL.Host, r.RequestURI = "http", host, ""
	client := &http.Transport{DisableCompression: true}
	defer client.CloseIdleConnections()
	answer, err := client.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return nil, 0, err
	}
	defer answer.Body.Close()
	wire, err := httputil.DumpResponse(answer, true) // and the body can be read again
	if err != nil {
		return nil, 0, err
	}
	var unpacked io.Reader = answer.Body
	if r.Header.Get("Accept-Encoding") != "" {
		if answer.Header.Get("Content-Encoding") != "gzip" {
			return nil, 0, errNotCompressed
		}
		if unpacked, err = gzip.NewReader(answer.Body); err != nil {
			return nil, 0, err
		}
	}
	if body, err = io.ReadAll(unpacked); err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %.200s", answer.StatusCode, body)
	}
	return body, int64(len(wire)), err
}

// check returns an error unless a body is the answer to a request that was done, with so many items or fields at a path.
func check(body []byte, path string, count int) error {
	var found any
	if err := json.Unmarshal(body, &found); err != nil {
		return fmt.Errorf("%w: %.200s", err, body)
	}
	envelope, _ := found.(map[string]any)
	if envelope["errors"] != nil || envelope["data"] == nil && envelope["status_code"] != 0. {
		return fmt.Errorf("refused: %.200s", body)
	}
	for _, name := range strings.FieldsFunc(path, func(c rune) bool { return c == '.' }) {
		object, _ := found.(map[string]any)
		found = object[name]
	}
	list, _ := found.([]any)
	object, _ := found.(map[string]any)
	if n := max(len(list), len(object)); n != count {
		return fmt.Errorf("%q has %d items or fields, not %d: %.200s", path, n, count, body)
	}
	return nil
}

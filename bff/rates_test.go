package bff_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"minidouyin/bff"
	"minidouyin/services"
	"minidouyin/services/testenv/redistest"
)

// Work is counted by what it can bring, over GraphQL and REST alike: for a viewer wherever the requests come from, for
// visitors by address.
func TestRateLimit(t *testing.T) {
	withinOneMinute(t, func(t testing.TB) {
		s := newSite(t, func(cfg *bff.Config) {
			cfg.RateLimit, cfg.TrustedProxies = 1000, []string{"127.0.0.0/8", "::1/128"}
		})
		from := func(address string) []string {
			return []string{"X-Forwarded-For", address, "Content-Type", "application/json"}
		}
		graphql := func(query string, header ...string) answer {
			body, err := json.Marshal(map[string]any{"query": query})
			require.NoError(t, err)
			return s.request(t, "POST", "/graphql", string(body), header...)
		}
		const costly = `{ feed(first: 100) { nodes { comments(first: 5) { nodes { content } } } } }` // 1 + 100 + 500

		a := graphql(costly, from("192.0.2.1")...)
		require.Equal(t, 200, a.status, a.text)
		require.Equal(t, []string{"1000"}, a.header["Ratelimit-Limit"])
		require.Equal(t, []string{"398"}, a.header["Ratelimit-Remaining"], "of 1000, after a request and 601 items")
		a = graphql(costly, from("192.0.2.1")...)
		require.Equal(t, http.StatusTooManyRequests, a.status, a.text)
		require.Equal(t, "60", a.header.Get("Retry-After"))
		require.Contains(t, a.text, `"code":"RATE_LIMITED"`)
		require.Contains(t, a.text, `"requestId":"`+a.header.Get("X-Request-Id"))
		require.NotContains(t, a.text, `"data"`)
		require.Equal(t, 200, graphql(`{ __typename }`, from("192.0.2.1")...).status, "what is cheap still goes")
		require.Equal(t, 200, graphql(costly, from("192.0.2.2")...).status, "others are not held up")
		require.Equal(t, 200, graphql(costly, from("2001:db8::1")...).status)
		require.Equal(t, http.StatusTooManyRequests, graphql(costly, from("2001:db8::ffff")...).status, "one household, one address")

		_, token := s.register(t, "ann")
		bearer := func(address string) []string { return append(from(address), "Authorization", "Bearer "+token) }
		require.Equal(t, 200, graphql(costly, bearer("192.0.2.3")...).status)
		require.Equal(t, http.StatusTooManyRequests, graphql(costly, bearer("192.0.2.4")...).status, "the same viewer elsewhere")

		refused := 0
		for range 60 {
			a = s.request(t, "GET", "/douyin/feed/", "", "X-Forwarded-For", "192.0.2.5")
			if a.status == http.StatusTooManyRequests {
				refused++
				require.JSONEq(t, `{"status_code": 8, "status_msg": "too much at once, please try again in a minute", "video_list": [], "next_time": 0}`, a.text)
				require.Equal(t, "60", a.header.Get("Retry-After"))
			}
		}
		require.Equal(t, 60-1000/32, refused, "a request and 31 items each")
	})
}

// A list of a REST route counts as what it can bring, which is more than a page of the graph.
func TestRateOfRESTLists(t *testing.T) {
	withinOneMinute(t, func(t testing.TB) {
		s := newSite(t, func(cfg *bff.Config) { cfg.RateLimit, cfg.ListLimit = 10_000, 1000 })
		id, _ := s.register(t, "ann")
		remaining := func(path string) string {
			a := s.rest(t, "GET", path, "user_id", id)
			require.Equal(t, json.Number("0"), a.json["status_code"], a.text)
			return a.header.Get("RateLimit-Remaining")
		}
		require.Equal(t, "9996", remaining("/douyin/user/"), "after the registration a request and a user")
		require.Equal(t, "8994", remaining("/douyin/publish/list/"), "a request, a user and 1000 videos")
	})
}

// Processes with the same Redis count together. When it goes away each goes on with what it has counted itself.
func TestSharedRates(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Server) {
		runs := 0
		withinOneMinute(t, func(t testing.TB) {
			runs++ // each run uses clients that have not counted anything yet
			testSharedRates(t, server, fmt.Sprintf("192.0.2.%d", runs))
		})
	})
}

func testSharedRates(t testing.TB, server *redistest.Server, address string) {
	open := func(cfg *bff.Config) {
		client, err := services.OpenRedis(server.URL, slog.New(slog.DiscardHandler), "")
		require.NoError(t, err)
		redistest.IgnoreDeadlines(client)
		t.Cleanup(func() { require.NoError(t, client.Close()) })
		cfg.RateLimit, cfg.SignInLimit, cfg.Shared = 10_000, 4, client
		cfg.TrustedProxies = []string{"127.0.0.0/8", "::1/128"}
	}
	one, two := newSite(t, open), newSite(t, open)
	// ask has units of work counted and returns how many are left.
	ask := func(s *site, units int) (remaining int) {
		a := s.request(t, "GET", "/graphql?"+url.Values{"query": {fmt.Sprintf("{ feed(first: %d) { nodes { title } } }", units-2)}}.Encode(), "",
			"X-Forwarded-For", address)
		require.Equal(t, 200, a.status, a.text)
		require.Equal(t, "10000", a.header.Get("RateLimit-Limit"))
		reset, err := strconv.Atoi(a.header.Get("RateLimit-Reset"))
		require.NoError(t, err)
		require.LessOrEqual(t, reset, 60)
		remaining, err = strconv.Atoi(a.header.Get("RateLimit-Remaining"))
		require.NoError(t, err)
		return remaining
	}
	for i, s := range []*site{one, two, one, two} {
		require.Equal(t, 10_000-100*(i+1), ask(s, 100))
	}
	guess := func(s *site) int {
		return s.request(t, "POST", "/douyin/user/login/?username=ann&password=guess", "", "X-Forwarded-For", address).status
	}
	for _, s := range []*site{one, two, one, two} {
		require.Equal(t, 200, guess(s))
	}
	require.Equal(t, http.StatusTooManyRequests, guess(one))
	require.Equal(t, http.StatusTooManyRequests, guess(two))

	server.Kill(t)
	away := true
	defer func() {
		if away { // the next run needs it
			server.Restart(t)
		}
	}()
	require.Equal(t, 200, guess(one), "it has counted two itself")
	require.Equal(t, 200, guess(one))
	require.Equal(t, http.StatusTooManyRequests, guess(one))
	for range 10 {
		ask(one, 100) // which the other one does not know of
	}
	server.Restart(t)
	away = false
	require.Eventually(t, func() bool { return ask(one, 10)-10 == ask(two, 10) }, patience, 100*time.Millisecond, "they count together again")
}

// What was refused says so in the form that the client asks for.
func TestRefusalsHaveAForm(t *testing.T) {
	s := newSite(t, func(cfg *bff.Config) { cfg.RateLimit = 2 })
	for accept, form := range map[string]string{"application/json": "application/json", "application/graphql-response+json": "application/graphql-response+json",
		"text/html": "application/json"} {
		a := s.request(t, "POST", "/graphql", "", "Accept", accept, "Authorization", "Bearer guess")
		require.Contains(t, []int{http.StatusUnauthorized, http.StatusTooManyRequests}, a.status)
		require.Equal(t, form+"; charset=utf-8", a.header.Get("Content-Type"))
		require.Contains(t, a.text, `"requestId":"`+a.header.Get("X-Request-Id")+`"`)
	}
}

// Requests count by themselves, also those that are refused for another reason.
func TestRequestRate(t *testing.T) {
	withinOneMinute(t, func(t testing.TB) {
		s := newSite(t, func(cfg *bff.Config) { cfg.RateLimit = 20 })
		for range 20 {
			require.Equal(t, http.StatusUnauthorized, s.request(t, "POST", "/graphql", "", "Authorization", "Bearer guess").status)
		}
		a := s.request(t, "POST", "/graphql", "", "Authorization", "Bearer guess")
		require.Equal(t, http.StatusTooManyRequests, a.status)
		require.Contains(t, a.text, `"code":"RATE_LIMITED"`)
		a = s.rest(t, "GET", "/douyin/user/", "user_id", "1")
		require.Equal(t, http.StatusTooManyRequests, a.status)
		require.Equal(t, json.Number("8"), a.json["status_code"], a.text)
		require.Equal(t, 200, s.rest(t, "GET", "/healthz").status)
	})
}

// Passwords cannot be guessed quickly: not by REST, not by GraphQL, not many in one operation.
func TestSignInLimit(t *testing.T) {
	withinOneMinute(t, func(t testing.TB) {
		s := newSite(t, func(cfg *bff.Config) { cfg.SignInLimit = 5 })
		s.register(t, "ann")
		const login = `login(input: {name: \"ann\", password: \"guess\"}) { token }`
		send := func(document string) answer {
			return s.request(t, "POST", "/graphql", `{"query": "`+document+`"}`, "Content-Type", "application/json")
		}
		a := send(`mutation { a: ` + login + ` ...B } fragment B on Mutation { b: ` + login + ` c: ` + login + ` d: ` + login + ` e: ` + login + ` }`)
		require.Equal(t, http.StatusTooManyRequests, a.status, a.text)
		require.Equal(t, 2, strings.Count(send(`mutation { a: `+login+` b: `+login+` }`).text, "UNAUTHENTICATED"))
		require.Equal(t, json.Number("3"), s.rest(t, "POST", "/douyin/user/login/", "username", "ann", "password", "guess").json["status_code"])
		require.Equal(t, http.StatusTooManyRequests, send(`mutation { a: `+login+` b: `+login+` }`).status)
		s.ok(t, "POST", "/douyin/user/login/", "username", "ann", "password", "secret")
		for path, answer := range map[string]string{"login": "", "register": ""} {
			a = s.rest(t, "POST", "/douyin/user/"+path+"/", "username", "ann", "password", "secret"+answer)
			require.Equal(t, http.StatusTooManyRequests, a.status, a.text)
			require.Equal(t, json.Number("8"), a.json["status_code"])
			require.NotEmpty(t, a.header.Get("Retry-After"))
		}
		s.ok(t, "GET", "/douyin/feed/")
	})
}

// A client has so many uploads on the way at once and no more, over GraphQL and REST together. Whoever publishes over
// REST may do so: the token can come after the file.
func TestUploadLimit(t *testing.T) {
	s := newSite(t, func(cfg *bff.Config) { cfg.UploadLimit, cfg.TrustedProxies = 2, []string{"127.0.0.0/8", "::1/128"} })
	_, ann := s.register(t, "ann")
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: patience}}
	t.Cleanup(client.CloseIdleConnections)
	// begin begins an upload and returns when the server has let it in or has refused it. end breaks it off and returns
	// the answer.
	begin := func(path, address string) (end func() answer) {
		body, more := io.Pipe()
		r, err := http.NewRequest("POST", s.url+path, body)
		require.NoError(t, err)
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		r.Header.Set("X-Requested-With", "test")
		r.Header.Set("X-Forwarded-For", address)
		r.Header.Set("Expect", "100-continue") // the body is taken when the server begins to read it
		answered := make(chan answer, 1)
		go func() {
			answered <- s.doWith(t, client, r)
			_ = body.Close() // one that was refused is not read
		}()
		_, _ = more.Write([]byte("-"))
		return func() answer {
			_ = more.Close()
			return <-answered
		}
	}
	rest, graphql := "/douyin/publish/action/", "/graphql"
	first, second := begin(rest, "192.0.2.1"), begin(graphql, "192.0.2.1")
	a := begin(rest, "192.0.2.1")()
	require.Equal(t, http.StatusTooManyRequests, a.status, a.text)
	require.JSONEq(t, `{"status_code": 8, "status_msg": "too many uploads at once, please try again later"}`, a.text)
	a = begin(graphql, "192.0.2.1")()
	require.Equal(t, http.StatusTooManyRequests, a.status, a.text)
	require.Contains(t, a.text, `"code":"RATE_LIMITED"`)
	require.Equal(t, 200, begin(rest, "192.0.2.2")().status, "others are not held up")
	require.Equal(t, 200, s.request(t, "POST", "/douyin/user/login/", "username=ann&password=secret",
		"Content-Type", "application/x-www-form-urlencoded", "X-Forwarded-For", "192.0.2.1").status, "nor are other requests")
	require.Equal(t, 200, first().status)
	require.Equal(t, 400, second().status)
	require.Eventually(t, func() bool { return begin(rest, "192.0.2.1")().status == 200 }, patience, 20*time.Millisecond)
	s.publish(t, ann, "one")
}

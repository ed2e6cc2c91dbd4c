package compat_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"minidouyin/compat"
)

// The sixteen routes of the contract.
var routes = []struct{ method, path string }{
	{"GET", "/douyin/feed/"},
	{"POST", "/douyin/user/register/"},
	{"POST", "/douyin/user/login/"},
	{"GET", "/douyin/user/"},
	{"POST", "/douyin/publish/action/"},
	{"GET", "/douyin/publish/list/"},
	{"POST", "/douyin/favorite/action/"},
	{"GET", "/douyin/favorite/list/"},
	{"POST", "/douyin/comment/action/"},
	{"GET", "/douyin/comment/list/"},
	{"POST", "/douyin/relation/action/"},
	{"GET", "/douyin/relation/follow/list/"},
	{"GET", "/douyin/relation/follower/list/"},
	{"GET", "/douyin/relation/friend/list/"},
	{"GET", "/douyin/message/chat/"},
	{"POST", "/douyin/message/action/"},
}

// Every route is served with and without a trailing slash, by one method, and never with a redirect.
func TestRoutes(t *testing.T) {
	server := newServer(t, &fakeGraph{t: t})
	for _, route := range routes {
		for _, path := range []string{route.path, strings.TrimSuffix(route.path, "/")} {
			for _, method := range []string{"GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} {
				answer := do(t, server, httptest.NewRequest(method, path+"?token=forged", nil))
				if method == route.method {
					if answer.Code != 200 || answer.status != 3 {
						t.Errorf("%s %s: %d %s", method, path, answer.Code, answer.Body)
					}
				} else if answer.Code != 405 || answer.Header().Get("Allow") != route.method || answer.status == 0 {
					t.Errorf("%s %s: %d %v %s", method, path, answer.Code, answer.Header(), answer.Body)
				}
			}
		}
	}
}

type answer struct {
	*httptest.ResponseRecorder
	status  int32
	message string
}

// do serves the request and returns the response, which must have status_code and status_msg.
func do(t testing.TB, server http.Handler, request *http.Request) answer {
	t.Helper()
	recorder := httptest.NewRecorder()
	server.ServeHTTP(recorder, request)
	return readEnvelope(t, recorder)
}

func readEnvelope(t testing.TB, recorder *httptest.ResponseRecorder) answer {
	t.Helper()
	var envelope struct {
		Code    *int32  `json:"status_code"`
		Message *string `json:"status_msg"`
	}
	if err := json.Unmarshal(recorder.Body.Bytes(), &envelope); err != nil {
		t.Fatalf("%v in %s", err, recorder.Body)
	}
	if envelope.Code == nil || envelope.Message == nil || (*envelope.Code == 0) != (*envelope.Message == "") {
		t.Fatalf("no envelope: %s", recorder.Body)
	}
	return answer{recorder, *envelope.Code, *envelope.Message}
}

// Integers are parsed in every form that the contract allows.
func TestIntegers(t *testing.T) {
	for text, want := range map[string]string{ // "" for those that are refused
		"1": "1", "007": "7", "+5": "5", "9223372036854775807": "9223372036854775807",
		"1.234567e+06": "1234567", "1.234567E6": "1234567", "12e0": "12", "1200e-2": "12", "0.5e1": "5", "3.000": "3",
		"9.223372036854775807e18": "9223372036854775807", "0.0000000000000000000000001e25": "1",
		"9223372036854775808": "", "9.223372036854775808e18": "", "1e19": "", "1e999999999999999999999": "", "1e-1": "",
		"1.5": "", "1.23e1": "", "0": "", "-1": "", "-0": "", "0e5": "", "-1e3": "", "e5": "", "1e": "", "1e+": "", ".5e1": "",
		"5.": "", "0x10": "", "1_000": "", "1 000": "", " 1": "", "1\n": "", "1e 5": "100000", "1e  5": "", "Inf": "", "NaN": "", "١": "", "１": "",
		"one": "", "1;2": "", "1,5": "", "null": "", "true": "", "[1]": "", strings.Repeat("9", 10_000): "",
	} {
		graph := &fakeGraph{t: t, response: `{"data":{"user":{"id":1}}}`}
		request := httptest.NewRequest("GET", "/douyin/user/", nil)
		request.URL.RawQuery = "user_id=" + escape(text)
		answer := do(t, newServer(t, graph), request)
		got := graph.called
		if want != "" {
			want = "Profile by visitor\n{\"user_id\":\"" + want + "\"}\n"
		} else if answer.status != 2 || answer.message != "user_id must be a positive whole number" {
			t.Errorf("%.40q: answered %d %q", text, answer.status, answer.message)
		}
		if got != want {
			t.Errorf("%.40q: got %q, want %q", text, got, want)
		}
	}
}

func escape(text string) string {
	var escaped strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&escaped, "%%%02x", text[i])
	}
	return escaped.String()
}

// A request whose deadline passed gets the response of an unavailable service.
func TestContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	graph := &fakeGraph{t: t, response: `{"data":{"_":{"video_list":[]}}}`}
	answer := do(t, newServer(t, graph), httptest.NewRequestWithContext(ctx, "GET", "/douyin/feed/", nil))
	if answer.Code != 503 || answer.status != 9 {
		t.Errorf("answered %d %s", answer.Code, answer.Body)
	}
}

// A refusal of a middleware has the fields of the route.
func TestRefuse(t *testing.T) {
	transport, err := compat.New(compat.Config{
		Schema: loadSchema(t), Authenticate: authenticate, Spool: fileStore(t.TempDir()),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		method, path, code string
		http               int
		body               string
	}{
		{"POST", "/douyin/user/login/", "RATE_LIMITED", 429, `{"status_code":8,"status_msg":"<slowly>","user_id":0,"token":""}`},
		{"GET", "/douyin/feed", "UPSTREAM_UNAVAILABLE", 503, `{"status_code":9,"status_msg":"<slowly>","video_list":[],"next_time":0}`},
		{"POST", "/douyin/comment/action", "TOO_LARGE", 413, `{"status_code":7,"status_msg":"<slowly>"}`},
		{"POST", "/douyin/feed", "RATE_LIMITED", 429, `{"status_code":8,"status_msg":"<slowly>"}`},
		{"GET", "/douyin/none", "NEW_CODE", 200, `{"status_code":1,"status_msg":"internal error"}`},
	} {
		recorder := httptest.NewRecorder()
		transport.Refuse(recorder, httptest.NewRequest(test.method, test.path, nil), test.code, "<slowly>")
		if recorder.Code != test.http || recorder.Body.String() != test.body {
			t.Errorf("%s %s: %d %s", test.method, test.path, recorder.Code, recorder.Body)
		}
	}
}

// A document that is not valid for the schema is an error of New, with its file and line.
func TestNewChecksDocuments(t *testing.T) {
	for name, test := range map[string]struct {
		remove, from, want string
	}{
		"missing field":    {"nextPublishedBefore", "FeedConnection", "operations/feed.graphql:4:"},
		"missing mutation": {"likeVideo", "Mutation", "operations/favorite_action.graphql:2:"},
	} {
		t.Run(name, func(t *testing.T) {
			schema := loadSchema(t)
			definition := schema.Types[test.from]
			for i, field := range definition.Fields {
				if field.Name == test.remove {
					definition.Fields = append(definition.Fields[:i], definition.Fields[i+1:]...)
					break
				}
			}
			_, err := compat.New(compat.Config{Schema: schema, Authenticate: authenticate, Spool: fileStore("")})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want it to name %s", err, test.want)
			}
		})
	}
	if _, err := compat.New(compat.Config{Schema: loadSchema(t)}); err == nil {
		t.Error("an incomplete Config is accepted")
	}
}

// Other paths are not supported.
func TestSupports(t *testing.T) {
	for path, want := range map[string]bool{"/douyin/feed/": true, "/douyin/no/such": true, "/graphql": false, "/douyinx": false} {
		if got := (&compat.Transport{}).Supports(httptest.NewRequest("GET", path, nil)); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}

package bff_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What people send is not written down, whatever becomes of it: no document, no variable, no password, no token. The
// log has a line for each request that says how it ended.
func TestLogKeepsSecrets(t *testing.T) {
	s := newSite(t)
	id, token := s.register(t, "ann")
	requests := func() int { return strings.Count(s.log.String(), "msg=request ") }
	require.Eventually(t, func() bool { return requests() == 1 }, patience, time.Millisecond, "it is written after the answer was sent")
	const private, password = "CANARY", "hunter2hunter2"
	video := sampleVideo(t)
	post := func(body map[string]any, header ...string) answer {
		text, err := json.Marshal(body)
		require.NoError(t, err)
		return s.request(t, "POST", "/graphql", string(text), append([]string{"Content-Type", "application/json"}, header...)...)
	}
	bearer := []string{"Authorization", "Bearer " + token}
	document := "query Feed { feed { nodes { title } } } #" + private
	sum := sha256.Sum256([]byte(document))
	hash := hex.EncodeToString(sum[:])
	automatic := map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hash}}
	publish := `{"query": "mutation Publish($f: Upload!, $t: String!) { publishVideo(input: {title: $t, file: $f}) { video { title } } }", "variables": {"f": null, "t": "` + private + `"}}`
	sends := map[string]func() answer{
		"a query":      func() answer { return post(map[string]any{"query": document}) },
		"a literal":    func() answer { return post(map[string]any{"query": `{ node(id: "` + private + `") { id } }`}) },
		"a broken one": func() answer { return post(map[string]any{"query": "{ " + private}) },
		"a wrong one":  func() answer { return post(map[string]any{"query": "{ " + private + " }"}) },
		"its name":     func() answer { return post(map[string]any{"query": document, "operationName": private}) },
		"no JSON":      func() answer { return s.request(t, "POST", "/graphql", private, "Content-Type", "application/json") },
		"by GET":       func() answer { return s.rest(t, "GET", "/graphql", "query", document) },
		"a variable": func() answer {
			return post(map[string]any{"query": `query Node($id: ID!) { node(id: $id) { id } }`, "variables": map[string]any{"id": private}})
		},
		"a wrong variable": func() answer {
			return post(map[string]any{"query": `query Feed($n: Int) { feed(first: $n) { nodes { id } } }`, "variables": map[string]any{"n": private}})
		},
		"an unknown hash":      func() answer { return post(map[string]any{"extensions": automatic}) },
		"a document with hash": func() answer { return post(map[string]any{"query": document, "extensions": automatic}) },
		"a known hash": func() answer {
			return s.rest(t, "GET", "/graphql", "extensions", `{"persistedQuery":{"version":1,"sha256Hash":"`+hash+`"}}`)
		},
		"an unknown documentId": func() answer { return post(map[string]any{"documentId": private}) },
		"a token":               func() answer { return post(map[string]any{"query": `query Me { viewer { name } }`}, bearer...) },
		"a wrong token": func() answer {
			return post(map[string]any{"query": `{ __typename }`}, "Authorization", "Bearer "+private)
		},
		"a password": func() answer {
			return post(map[string]any{"query": `mutation In($p: String!) { login(input: {name: "ann", password: $p}) { token } }`, "variables": map[string]any{"p": password}})
		},
		"a password in the document": func() answer {
			return post(map[string]any{"query": `mutation In { login(input: {name: "ann", password: "` + password + `"}) { token } }`})
		},
		"a password by REST": func() answer {
			return s.rest(t, "POST", "/douyin/user/login/", "username", "ann", "password", password)
		},
		"a token by REST":       func() answer { return s.rest(t, "GET", "/douyin/user/", "user_id", id, "token", token) },
		"a wrong token by REST": func() answer { return s.rest(t, "GET", "/douyin/user/", "user_id", id, "token", private) },
		"a message": func() answer {
			return s.rest(t, "POST", "/douyin/message/action/", "to_user_id", id, "action_type", "1", "content", private, "token", token)
		},
		"an upload": func() answer {
			return s.form(t, token, "operations", publish, "map", `{"0":["variables.f"]}`, "0", string(video))
		},
		"no video": func() answer {
			return s.form(t, token, "operations", publish, "map", `{"0":["variables.f"]}`, "0", private)
		},
		"a wrong map": func() answer {
			return s.form(t, token, "operations", publish, "map", `{"0":["`+private+`"]}`, "0", "x")
		},
		"an upload alike": func() answer { return s.upload(t, token, private, video) },
	}
	for _, broken := range []bool{false, true} {
		if broken {
			fail := func(string) error { return errors.New("the service fails") }
			s.before.Store(&fail)
		}
		for name, send := range sends {
			before, written := len(s.log.String()), requests()
			send()
			require.Eventually(t, func() bool { return requests() == written+1 }, patience, time.Millisecond, name)
			log := s.log.String()[before:]
			for _, secret := range []string{private, url.QueryEscape(private), password, token, token[len(token)-20:], "nodes", "$p", "variables", hash} {
				require.NotContains(t, log, secret, "%s, broken %t", name, broken)
			}
		}
	}
	require.Contains(t, s.log.String(), "operation=Feed")
	require.Contains(t, s.log.String(), "the service fails")
}

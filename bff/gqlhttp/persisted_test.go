package gqlhttp_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"minidouyin/bff/gqlhttp"
	"minidouyin/bff/gqlhttp/documents"
	"minidouyin/services"
	"minidouyin/services/testenv/redistest"
)

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// persistedQuery is the extension of automatic persisted queries.
func persistedQuery(hash string) string {
	return fmt.Sprintf(`{"persistedQuery":{"version":1,"sha256Hash":%q}}`, hash)
}

const (
	notPersisted = `"code":"PERSISTED_QUERY_NOT_FOUND"`
	typename     = `{"data":{"__typename":"Query"}}`
)

// step is a request, whose document is sent, named by its hash, or both, and what its answer holds.
type step struct {
	method, query, hash, says string
}

func (s *server) take(t *testing.T, step step) answer {
	t.Helper()
	if step.method == http.MethodGet {
		values := url.Values{"extensions": {persistedQuery(step.hash)}}
		if step.query != "" {
			values.Set("query", step.query)
		}
		return s.send(t, http.MethodGet, "?"+values.Encode(), "")
	}
	return s.send(t, http.MethodPost, "", fmt.Sprintf(`{"query":%q,"extensions":%s}`, step.query, persistedQuery(step.hash)))
}

// A document is sent once and named by its hash from then on, provided that it is one that can be run.
func TestAutomaticPersistedQueries(t *testing.T) {
	const query, broken, unknown = `{ __typename }`, `{ __typename`, `{ nothing }`
	deep := strings.Repeat("{ a ", 40) + strings.Repeat("}", 40)
	long := "{ __typename } #" + strings.Repeat("x", 40<<10)
	change := `mutation { __typename }`
	for name, steps := range map[string][]step{
		"by POST": {
			{"POST", "", hashOf(query), notPersisted}, {"POST", query, hashOf(query), typename}, {"POST", "", hashOf(query), typename},
		},
		"by GET": {
			{"GET", "", hashOf(query), notPersisted}, {"GET", query, hashOf(query), typename}, {"GET", "", hashOf(query), typename},
		},
		"sent by POST, read by GET": {{"POST", query, hashOf(query), typename}, {"GET", "", hashOf(query), typename}},
		"a hash in capitals":        {{"POST", query, strings.ToUpper(hashOf(query)), typename}, {"GET", "", hashOf(query), typename}},
		"a hash of another text": {
			{"POST", query, hashOf(broken), "not that of the query"}, {"POST", "", hashOf(broken), notPersisted},
		},
		"a hash that is none":    {{"POST", query, "abc", "INVALID_ARGUMENT"}},
		"a broken document":      {{"POST", broken, hashOf(broken), "errors"}, {"POST", "", hashOf(broken), notPersisted}},
		"an invalid document":    {{"POST", unknown, hashOf(unknown), "errors"}, {"POST", "", hashOf(unknown), notPersisted}},
		"a document over limits": {{"POST", deep, hashOf(deep), "deep"}, {"POST", "", hashOf(deep), notPersisted}},
		"a document too large to be kept": {
			{"POST", long, hashOf(long), typename}, {"POST", "", hashOf(long), notPersisted},
		},
		"a mutation is not for GET": {{"POST", change, hashOf(change), `"Mutation"`}, {"GET", "", hashOf(change), "only queries"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			for _, step := range steps {
				require.Contains(t, s.take(t, step).text, step.says, "%+v", step)
			}
		})
	}
}

// However many documents clients leave here, the memory they take is bounded; those used last are kept.
func TestPersistedQueriesAreBounded(t *testing.T) {
	s := newServer(t)
	query := func(i int) string { return fmt.Sprintf("{ __typename } #%d", i) + strings.Repeat("x", 30<<10) }
	for i := range 300 { // 9 MB
		require.Equal(t, typename, strings.TrimSpace(s.take(t, step{"POST", query(i), hashOf(query(i)), ""}).text))
	}
	require.Contains(t, s.take(t, step{"POST", "", hashOf(query(0)), ""}).text, notPersisted)
	require.Contains(t, s.take(t, step{"POST", "", hashOf(query(299)), ""}).text, typename)
	require.Contains(t, s.take(t, step{"POST", "", hashOf(query(100)), ""}).text, typename)
}

const trustedQuery = `query Hello { __typename }`

// Clients name trusted documents by their hash; where only these are run, everything else is refused.
func TestTrustedDocuments(t *testing.T) {
	id := hashOf(trustedQuery)
	byID := func(id string) string { return fmt.Sprintf(`{"documentId":%q}`, id) }
	for _, c := range []struct {
		name, method, target, body, open, closed string // what the answer holds, where others are run too and where not
	}{
		{"by its id", "POST", "", byID("sha256:" + id), typename, typename},
		{"by the bare hash", "POST", "", byID(id), typename, typename},
		{"by GET", "GET", "?documentId=sha256:" + id, "", typename, typename},
		{"in a batch", "POST", "", "[" + byID(id) + "]", typename, typename},
		{"by its text", "POST", "", text(t, map[string]any{"query": trustedQuery}), typename, typename},
		{"as an automatic persisted query", "POST", "", `{"extensions":` + persistedQuery(id) + `}`, typename, typename},
		{"an unknown id", "POST", "", byID(hashOf("x")), "NOT_FOUND", "NOT_FOUND"},
		{"an empty id", "GET", "?documentId=", "", "NOT_FOUND", "NOT_FOUND"},
		{"an id of the wrong type", "POST", "", `{"documentId":7}`, "INVALID_ARGUMENT", "INVALID_ARGUMENT"},
		{"an id and its hash", "POST", "", fmt.Sprintf(`{"documentId":%q,"extensions":%s}`, id, persistedQuery(id)), typename, typename},
		{"an id and another hash", "POST", "", fmt.Sprintf(`{"documentId":%q,"extensions":%s}`, id, persistedQuery(hashOf("x"))),
			"not that of the query", "not that of the query"},
		{"an id and a text", "POST", "", fmt.Sprintf(`{"documentId":%q,"query":"{ __typename }"}`, id), "not both", "not both"},
		{"another text", "POST", "", `{"query":"{ __typename }"}`, typename, "PERMISSION_DENIED"},
		{"another text with its hash", "POST", "", fmt.Sprintf(`{"query":"{ __typename }","extensions":%s}`,
			persistedQuery(hashOf("{ __typename }"))), typename, "PERMISSION_DENIED"},
		{"another hash", "POST", "", `{"extensions":` + persistedQuery(hashOf("x")) + `}`, notPersisted, "PERMISSION_DENIED"},
	} {
		for only, says := range map[bool]string{false: c.open, true: c.closed} {
			t.Run(fmt.Sprintf("%s/only %t", c.name, only), func(t *testing.T) {
				s := newServer(t, func(cfg *gqlhttp.Config) {
					cfg.Trusted, cfg.TrustedOnly = documents.Trusted{id: trustedQuery}, only
				})
				require.Contains(t, s.send(t, c.method, c.target, c.body).text, says)
			})
		}
	}
}

// Whoever names a trusted document cannot leave it under the hash of another one, which others send.
func TestTrustedDocumentsStayUnderTheirHash(t *testing.T) {
	const query = `query Other { __typename }`
	s := newServer(t, func(cfg *gqlhttp.Config) { cfg.Trusted = documents.Trusted{hashOf(trustedQuery): trustedQuery} })
	s.send(t, http.MethodPost, "", fmt.Sprintf(`{"documentId":%q,"extensions":%s}`, hashOf(trustedQuery), persistedQuery(hashOf(query))))
	require.Contains(t, s.take(t, step{"GET", "", hashOf(query), ""}).text, notPersisted)
}

// A form with files is refused before its files are read when its document is not trusted.
func TestTrustedOnlyReadsNoFiles(t *testing.T) {
	s := newServer(t, func(cfg *gqlhttp.Config) { cfg.TrustedOnly = true })
	form := "--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n" +
		`{"query":"mutation($f: Upload!) { publishVideo(input: {title: \"t\", file: $f}) { __typename } }","variables":{"f":null}}` +
		"\r\n--x\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n" + `{"0":["variables.f"]}` + "\r\n--x--\r\n"
	a := s.send(t, http.MethodPost, "", form, "Content-Type", "multipart/form-data; boundary=x")
	require.Contains(t, a.text, "PERMISSION_DENIED")
}

// Processes with the same Redis know each other's documents. Without Redis each has its own, and a text that is not that
// of its hash is none, whoever wrote it.
func TestPersistedQueriesAreShared(t *testing.T) {
	redistest.Each(t, testPersistedQueriesAreShared)
}

func testPersistedQueriesAreShared(t *testing.T, shared *redistest.Server) {
	open := func() redis.UniversalClient {
		client, err := services.OpenRedis(shared.URL, slog.New(slog.DiscardHandler), "")
		require.NoError(t, err)
		redistest.IgnoreDeadlines(client)
		t.Cleanup(func() { require.NoError(t, client.Close()) })
		return client
	}
	process := func() *server { return newServer(t, func(cfg *gqlhttp.Config) { cfg.Redis = open() }) }
	const query, other = `{ __typename }`, `query Other { __typename }`
	one, two := process(), process()
	require.Contains(t, two.take(t, step{"GET", "", hashOf(query), ""}).text, notPersisted)
	require.Contains(t, one.take(t, step{"POST", query, hashOf(query), ""}).text, typename)
	require.Contains(t, two.take(t, step{"GET", "", hashOf(query), ""}).text, typename)
	require.Contains(t, process().take(t, step{"GET", "", hashOf(query), ""}).text, typename)

	client := open()
	n, err := client.DBSize(t.Context()).Result()
	require.NoError(t, err)
	require.Equal(t, int64(1), n)
	left, err := client.TTL(t.Context(), "douyin:document:"+hashOf(query)).Result()
	require.NoError(t, err)
	require.Greater(t, left, time.Hour)
	require.NoError(t, client.Set(t.Context(), "douyin:document:"+hashOf(other), `mutation { __typename }`, 0).Err())
	require.Contains(t, two.take(t, step{"POST", "", hashOf(other), ""}).text, notPersisted)

	shared.Kill(t)
	three := process()
	require.Contains(t, two.take(t, step{"GET", "", hashOf(query), ""}).text, typename, "it is known here")
	require.Contains(t, three.take(t, step{"GET", "", hashOf(query), ""}).text, notPersisted)
	require.Contains(t, three.take(t, step{"POST", query, hashOf(query), ""}).text, typename)
	require.Contains(t, three.take(t, step{"POST", "", hashOf(query), ""}).text, typename)
	shared.Restart(t)
	four := process()
	require.Eventually(t, func() bool { return strings.Contains(four.take(t, step{"GET", "", hashOf(query), ""}).text, typename) },
		patience, 50*time.Millisecond, "Redis has kept it")
}

// However many documents clients leave in Redis, a process writes no more than its share.
func TestSharedPersistedQueriesAreBounded(t *testing.T) {
	shared := redistest.Start(t, "--appendfsync", "no")
	client, err := services.OpenRedis(shared.URL, slog.New(slog.DiscardHandler), "")
	require.NoError(t, err)
	redistest.IgnoreDeadlines(client)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	s := newServer(t, func(cfg *gqlhttp.Config) { cfg.Redis = client })
	query := func(i int) string { return fmt.Sprintf("{ __typename } #%d", i) + strings.Repeat("x", 30<<10) }
	for i := range 400 { // 12 MB
		require.Contains(t, s.take(t, step{"POST", query(i), hashOf(query(i)), ""}).text, typename)
	}
	n, err := client.DBSize(t.Context()).Result()
	require.NoError(t, err)
	require.Less(t, n, int64(350))
	require.Greater(t, n, int64(100))
}

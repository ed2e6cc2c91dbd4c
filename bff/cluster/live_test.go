//go:build unix

package cluster_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What happens at one BFF is told to those who listen at both, through nginx; after a restart of a BFF and of Redis as
// well.
func TestEvents(t *testing.T) {
	c := start(t, nil)
	people, videos := crowd(t, c.URL(), 2)
	video := videos[0]
	counts := func() chan string {
		lines := make(chan string, 100)
		for range 4 { // nginx gives each BFF its turn
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.URL()+"/graphql", strings.NewReader(
				fmt.Sprintf(`{"query": "subscription { videoStatsChanged(videoIds: [\"%d\"]) { video { likeCount } } }"}`, video)))
			require.NoError(t, err)
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Accept", "text/event-stream")
			go func() { // ends with the test
				response, err := http.DefaultClient.Do(r)
				if err != nil {
					lines <- err.Error()
					return
				}
				defer func() { _ = response.Body.Close() }()
				for scanner := bufio.NewScanner(response.Body); scanner.Scan(); {
					if data, ok := strings.CutPrefix(scanner.Text(), "data: "); ok {
						lines <- data
					}
				}
			}()
		}
		return lines
	}
	told := func(lines chan string, likes int) {
		t.Helper()
		want := fmt.Sprintf(`{"data":{"videoStatsChanged":{"video":{"likeCount":%d}}}}`, likes)
		for seen := 0; seen < 4; {
			select {
			case line := <-lines:
				if line == want {
					seen++
				}
			case <-time.After(patience):
				require.FailNow(t, "not everybody was told", "%d of 4 heard of %d likes", seen, likes)
			}
		}
	}
	like := func(p *person) {
		t.Helper()
		require.Eventually(t, func() bool {
			return p.graphql(t.Context(), fmt.Sprintf(`mutation { likeVideo(input: {videoId: "%d"}) { __typename } }`, video), nil, nil) == nil
		}, patience, 100*time.Millisecond)
	}

	lines := counts()
	told(lines, 0)
	like(people[0])
	told(lines, 1)
	require.NoError(t, c.Kill("redis"))
	require.NoError(t, c.Start(t.Context(), "redis"))
	like(people[1])
	told(lines, 2)
	require.NoError(t, c.Stop(t.Context(), "bff-1"))
	require.NoError(t, c.Start(t.Context(), "bff-1"))
	told(counts(), 2)
}

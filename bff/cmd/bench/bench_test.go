//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The data set has the sizes it says, no row twice, and counts that equal the rows they count.
func TestDataset(t *testing.T) {
	for name, d := range map[string]dataset{"standard": standard, "grown": grown(2000)} {
		t.Run(name, func(t *testing.T) {
			rows := map[string][][]any{}
			for _, table := range d.tables() {
				for id := 1; id <= table.rows; id++ {
					rows[table.name] = append(rows[table.name], table.row(id))
				}
			}
			require.Len(t, rows["users"], d.users)
			require.Len(t, rows["videos"], d.videos)
			require.Len(t, rows["likes"], d.users*d.likesEach)
			require.Len(t, rows["comments"], d.comments)
			require.Len(t, rows["follows"], d.users*d.followsEach)

			author := countBy(rows["videos"], 0, 1)
			require.Equal(t, d.videos, len(author), "each video once")
			require.Equal(t, d.videos, len(countBy(rows["videos"], 5)), "each at a time of its own")
			require.Equal(t, len(rows["likes"]), len(countBy(rows["likes"], 1, 2)), "each video is liked once by a user")
			require.Equal(t, len(rows["follows"]), len(countBy(rows["follows"], 1, 2)), "each user is followed once by another")
			require.Equal(t, d.onNewest, countBy(rows["comments"], 1)[key(d.videos)])
			for _, like := range rows["likes"] {
				require.Equal(t, 1, author[key(like[2], like[3])], "the author of a video that was liked")
			}
			for _, follow := range rows["follows"] {
				require.NotEqual(t, follow[1], follow[2])
			}
			for _, kept := range []struct {
				table       string
				column      int
				rows        string
				counted, of int
			}{
				{"users", 7, "videos", 1, 0},
				{"video_stats", 1, "likes", 2, 0},
				{"video_stats", 2, "comments", 1, 0},
				{"user_like_stats", 1, "likes", 3, 0},
				{"user_like_stats", 2, "likes", 1, 0},
				{"relation_stats", 1, "follows", 1, 0},
				{"relation_stats", 2, "follows", 2, 0},
			} {
				counts := countBy(rows[kept.rows], kept.counted)
				for _, row := range rows[kept.table] {
					require.Equal(t, counts[key(row[0])], row[kept.column], "%s of %v, column %d", kept.table, row[0], kept.column)
				}
			}
		})
	}
}

type keys [2]any

func key(values ...any) (k keys) {
	copy(k[:], values)
	return k
}

// countBy returns how many rows have the same values in these columns.
func countBy(rows [][]any, columns ...int) map[keys]int {
	counts := map[keys]int{}
	for _, row := range rows {
		var values []any
		for _, column := range columns {
			values = append(values, row[column])
		}
		counts[key(values...)]++
	}
	return counts
}

func micros(n int) time.Duration { return time.Duration(n) * time.Microsecond }

func run(perSecond float64, cpu int, others float64) sample {
	return sample{perSecond: perSecond, others: others, uses: []usage{{"bff", micros(cpu - 10), 500}, {"redis", micros(10), 0}}}
}

// The run with the median of the CPU time counts, and what makes it doubtful is said.
func TestSummarize(t *testing.T) {
	for name, c := range map[string]struct {
		runs   []sample
		median sample
		notes  string
	}{
		"quiet":     {[]sample{run(1000, 104, 0), run(1010, 100, 0.1), run(990, 102, 0)}, run(990, 102, 0), ""},
		"one run":   {[]sample{run(1000, 100, 0.2)}, run(1000, 100, 0.2), ""},
		"CPU":       {[]sample{run(1000, 100, 0), run(1000, 101, 0), run(1000, 112, 0)}, run(1000, 101, 0), "CPU spread 12 %"},
		"all noise": {[]sample{run(500, 100, 0.26), run(1000, 100, 0), run(1000, 200, 0)}, run(1000, 100, 0), "CPU spread 100 %, requests/s spread 50 %, others 0.3 cores"},
	} {
		t.Run(name, func(t *testing.T) {
			median, notes := summarize(c.runs)
			require.Equal(t, c.median, median)
			require.Equal(t, c.notes, notes)
		})
	}
}

func TestMarkdown(t *testing.T) {
	fast := sample{perSecond: 23456.7, p50: micros(950), p99: micros(12345), uses: []usage{{"reference", micros(64), 2000}}}
	slow := sample{perSecond: 772, p50: micros(80000), p99: time.Second,
		uses: []usage{{"bff", micros(1600), 640_400}, {"mariadb", 0, 0}}}
	require.Equal(t, ""+
		"| target    | row           | requests/s | p50 ms | p99 ms  | CPU µs | ÷ reference | KB allocated | CPU µs (KB) by process        | noise |\n"+
		"| ---       | ---           | ---        | ---    | ---     | ---    | ---         | ---          | ---                           | ---   |\n"+
		"| reference | feed, visitor | 23,457     | 0.95   | 12.35   | 64     | 1.00        | 2.0          | reference 64 (2.0)            |       |\n"+
		"| four      | feed, visitor | 772        | 80.00  | 1000.00 | 1,600  | 25.00       | 640.4        | bff 1,600 (640.4) · mariadb 0 |       |\n",
		markdown([]measurement{{target: "reference", row: "feed, visitor", sample: fast}, {target: "four", row: "feed, visitor", sample: slow}}))

	alone := markdown([]measurement{{target: "one", row: "message", sample: fast}, {target: "one", row: "user", notes: "refused"}})
	require.Contains(t, alone, "| 64     | –           |", "without a reference there is no ratio")
	require.Contains(t, alone, "| refused |", "a row without numbers says why")
	require.Equal(t, []string{"0", "999", "1,000", "1,234,567"}, []string{thousands(0.4), thousands(999.4), thousands(999.5), thousands(1234567)})
}

func TestCPUTime(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		fields []int
		want   time.Duration
		err    string
	}{
		"process": {"77 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20\n", []int{11, 12}, 1750 * time.Millisecond, ""},
		"machine": {"cpu  100 20 3 9999 50 60 70 7 0 0\ncpu0 1 1 1 1\n", []int{1, 2, 3, 8}, 1300 * time.Millisecond, ""},
		"short":   {"77 (a) S 1\n", []int{11}, 0, "too few fields"},
		"words":   {"cpu x\n", []int{1}, 0, "invalid syntax"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "stat")
			require.NoError(t, os.WriteFile(path, []byte(c.text), 0o600))
			got, err := cpuTime(path, c.fields...)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

// Answers that are not what a row expects have no numbers.
func TestChecks(t *testing.T) {
	for name, c := range map[string]struct {
		body, path string
		count      int
		err        string
	}{
		"list":         {`{"status_code":0,"video_list":[1,2]}`, "video_list", 2, ""},
		"fields":       {`{"status_code":0,"user":{"id":1,"name":"a"}}`, "user", 2, ""},
		"envelope":     {`{"status_code":0,"status_msg":""}`, "", 2, ""},
		"GraphQL":      {`{"data":{"feed":{"nodes":[{}]}}}`, "data.feed.nodes", 1, ""},
		"too few":      {`{"status_code":0,"video_list":[1]}`, "video_list", 2, "has 1 items"},
		"no such path": {`{"status_code":0}`, "video_list", 2, "has 0 items"},
		"refused":      {`{"status_code":3,"video_list":[1,2]}`, "video_list", 2, "refused"},
		"an error":     {`{"data":{"feed":{"nodes":[{}]}},"errors":[{}]}`, "data.feed.nodes", 1, "refused"},
		"no JSON":      {`gateway`, "", 2, "invalid character"},
	} {
		t.Run(name, func(t *testing.T) {
			err := check([]byte(c.body), c.path, c.count)
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.err)
			}
		})
	}
}

// Runs with other answers than the one that was checked have no numbers.
func TestOutcome(t *testing.T) {
	for name, c := range map[string]struct {
		outcome outcome
		write   bool
		err     string
	}{
		"right":         {outcome{Requests: 100, Bytes: 100_500}, false, ""},
		"begun answers": {outcome{Requests: 100, Bytes: 109_000}, false, ""},
		"too small":     {outcome{Requests: 100, Bytes: 90_000}, false, "answers have 900 bytes"},
		"too large":     {outcome{Requests: 100, Bytes: 120_000}, false, "answers have 1200 bytes"},
		"writes":        {outcome{Requests: 100, Bytes: 90_000}, true, ""},
		"refused":       {outcome{Requests: 100, Bytes: 100_000, Refused: 2}, true, "2 were refused"},
		"failed":        {outcome{Requests: 100, Bytes: 100_000, Failed: 1}, false, "1 failed"},
		"none":          {outcome{}, true, "of 0 requests"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.outcome.check(1000, 10, c.write)
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.err)
			}
		})
	}
}

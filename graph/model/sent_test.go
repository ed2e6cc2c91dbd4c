package model_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"minidouyin/graph/model"
)

// Each row is sent once: also one that is committed late, and when a client disconnects and resumes by its cursor.
func TestSent(t *testing.T) {
	type row struct{ id, at, commit int64 }
	var rows []row
	for i := range int64(400) {
		at := 1_795_000_000_000 + i*500
		rows = append(rows, row{id: i + 1, at: at, commit: at + rand.Int64N(model.CommitDelay-1)})
	}
	sent, err := model.ParseSent("")
	require.NoError(t, err)
	seen := map[int64]int{}
	for now := rows[0].at; now < rows[len(rows)-1].at+2*model.CommitDelay; now += 700 {
		for _, r := range rows { // in the order of their times, as they are read
			if r.commit > now {
				continue
			}
			sent.SetTime(r.id, r.at)
			if !sent.Has(r.id, r.at) {
				sent.Add(r.id, r.at)
				seen[r.id]++
			}
		}
		if rand.N(3) == 0 {
			sent, err = model.ParseSent(sent.Cursor())
			require.NoError(t, err)
		}
	}
	require.Len(t, seen, len(rows))
	for id, n := range seen {
		require.Equal(t, 1, n, "row %d", id)
	}
	require.Less(t, len(sent.Cursor()), 500)
}

// A cursor stays short when many rows are created at once.
func TestSentIsBounded(t *testing.T) {
	sent, err := model.ParseSent("")
	require.NoError(t, err)
	for i := range int64(5000) {
		require.False(t, sent.Has(1e12+i, 1_795_000_000_000+i/10))
		sent.Add(1e12+i, 1_795_000_000_000+i/10)
		if i%50 == 0 {
			sent, err = model.ParseSent(sent.Cursor())
			require.NoError(t, err)
		}
	}
	require.Less(t, len(sent.Cursor()), 1500)
}

// A cursor of a page is accepted too; any other text is refused.
func TestParseSent(t *testing.T) {
	const at = 1_795_000_000_000
	page := model.NewConnection[*model.Video](false, false)
	page.Add(at, 7, nil)
	sent, err := model.ParseSent(*page.PageInfo().EndCursor)
	require.NoError(t, err)
	require.True(t, sent.Has(7, at))
	require.False(t, sent.Has(8, at+1))
	require.EqualValues(t, at-model.CommitDelay, sent.UpTo())
	for _, wrong := range []string{"x", "~", "~!", "~" + strings.Repeat("LjE", 200), "~LTE"} {
		_, err := model.ParseSent(wrong)
		require.Error(t, err, wrong)
	}
}

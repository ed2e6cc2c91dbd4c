package model_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"minidouyin/graph/model"
)

// Whatever is committed late, and wherever a client breaks off and resumes by its cursor, each row is told once.
func TestTold(t *testing.T) {
	type row struct{ id, at, commit int64 }
	var rows []row
	for i := range int64(400) {
		at := 1_795_000_000_000 + i*500
		rows = append(rows, row{id: i + 1, at: at, commit: at + rand.Int64N(model.Lateness-1)})
	}
	told, err := model.ParseTold("")
	require.NoError(t, err)
	seen := map[int64]int{}
	for now := rows[0].at; now < rows[len(rows)-1].at+2*model.Lateness; now += 700 {
		for _, r := range rows { // in the order of their times, as they are read
			if r.commit > now {
				continue
			}
			told.Met(r.id, r.at)
			if !told.Has(r.id, r.at) {
				told.Add(r.id, r.at)
				seen[r.id]++
			}
		}
		if rand.N(3) == 0 {
			told, err = model.ParseTold(told.Cursor())
			require.NoError(t, err)
		}
	}
	require.Len(t, seen, len(rows))
	for id, n := range seen {
		require.Equal(t, 1, n, "row %d", id)
	}
	require.Less(t, len(told.Cursor()), 500)
}

// A cursor stays short when very much happens at once.
func TestToldIsBounded(t *testing.T) {
	told, err := model.ParseTold("")
	require.NoError(t, err)
	for i := range int64(5000) {
		require.False(t, told.Has(1e12+i, 1_795_000_000_000+i/10))
		told.Add(1e12+i, 1_795_000_000_000+i/10)
		if i%50 == 0 {
			told, err = model.ParseTold(told.Cursor())
			require.NoError(t, err)
		}
	}
	require.Less(t, len(told.Cursor()), 1500)
}

// A cursor of a page is taken as well; what is no cursor is refused.
func TestParseTold(t *testing.T) {
	const at = 1_795_000_000_000
	page := model.NewConnection[*model.Video](false, false)
	page.Add(at, 7, nil)
	told, err := model.ParseTold(*page.PageInfo().EndCursor)
	require.NoError(t, err)
	require.True(t, told.Has(7, at))
	require.False(t, told.Has(8, at+1))
	require.EqualValues(t, at-model.Lateness, told.UpTo())
	for _, wrong := range []string{"x", "~", "~!", "~" + strings.Repeat("LjE", 200), "~LTE"} {
		_, err := model.ParseTold(wrong)
		require.Error(t, err, wrong)
	}
}

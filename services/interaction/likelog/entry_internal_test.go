package likelog

import (
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// What is written to the log is read back the same, and does not count after its deadline.
func TestEntry(t *testing.T) {
	for _, c := range []Change{
		{Pair{1, 2}, 3, 1, 0},
		{Pair{65, 1 << 62}, 0, 0, 0},
		{Pair{1<<63 - 1, 1<<63 - 1}, 1<<63 - 1, 1, 0},
	} {
		message := redis.XMessage{ID: "1700000000000-7", Values: map[string]any{entryField: encode(c, 1_700_000_000_000)}}
		e := decode(partitionOf(c.UserID), message)
		c.Version = 1_700_000_000_000<<VersionShift + 7
		require.NoError(t, e.err)
		require.Equal(t, c, e.Change)
		require.False(t, e.skip)
		message.ID = "1700000000001-0"
		e = decode(partitionOf(c.UserID), message)
		require.NoError(t, e.err)
		require.True(t, e.skip)
	}
}

// No bytes in the stream panic, and what is taken is a like that can be.
func FuzzDecode(f *testing.F) {
	f.Add("1700000000000-0", entryField, "1 1 2 3 1700000001000")
	f.Add("1-4194303", raiseField, "")
	f.Add("18446744073709551615-18446744073709551615", entryField, "0 65 2 0 1")
	f.Add("1-1", entryField, "1 -1 2 3 1")
	f.Add("1-1", entryField, "1 1 2 3")
	f.Fuzz(func(t *testing.T, id, field, text string) {
		e := decode(1, redis.XMessage{ID: id, Values: map[string]any{field: text}})
		if partitionOf(e.UserID) != 1 {
			t.Errorf("read %q %q as one of another partition: %+v", id, text, e)
		}
		if e.err == nil && (e.UserID <= 0 || e.VideoID <= 0 || e.AuthorID < 0 || e.Liked == 1 && e.AuthorID == 0 || e.Version < 0) {
			t.Errorf("took %q %q as %+v", id, text, e)
		}
	})
}

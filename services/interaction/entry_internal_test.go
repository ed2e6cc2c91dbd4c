package interaction

import (
	"testing"

	"github.com/redis/go-redis/v9"
)

// What is written to the log is read back the same.
func TestEntry(t *testing.T) {
	for _, c := range []change{
		{pair{1, 2}, 3, true},
		{pair{65, 1 << 62}, 0, false},
		{pair{1<<63 - 1, 1<<63 - 1}, 1<<63 - 1, true},
	} {
		message := redis.XMessage{ID: "1700000000000-7", Values: map[string]any{entryField: encode(c, 1_700_000_000_000)}}
		e, err := decode(partitionOf(c.UserID), message)
		if err != nil || e.change != c || e.late || e.version != 1_700_000_000_000<<versionShift+7 {
			t.Errorf("%+v: got %+v (%v)", c, e, err)
		}
		message.ID = "1700000000001-0"
		if e, err := decode(partitionOf(c.UserID), message); err != nil || !e.late {
			t.Errorf("%+v after its deadline: got %+v (%v)", c, e, err)
		}
	}
}

// No bytes in the stream panic, and what is taken is a like that can be.
func FuzzDecode(f *testing.F) {
	f.Add("1700000000000-0", entryField, "1 1 2 3 1700000001000")
	f.Add("1-4194303", liftField, "")
	f.Add("18446744073709551615-18446744073709551615", entryField, "0 65 2 0 1")
	f.Add("1-1", entryField, "1 -1 2 3 1")
	f.Fuzz(func(t *testing.T, id, field, text string) {
		e, err := decode(1, redis.XMessage{ID: id, Values: map[string]any{field: text}})
		if err != nil || e.lift {
			return
		}
		if e.UserID <= 0 || e.VideoID <= 0 || e.AuthorID < 0 || e.Liked && e.AuthorID == 0 || partitionOf(e.UserID) != 1 || e.version < 0 {
			t.Errorf("took %q %q as %+v", id, text, e)
		}
	})
}

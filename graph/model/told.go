package model

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"

	"minidouyin/idl/codes"
)

// Lateness bounds, in milliseconds, by how much the time of a row may precede its commit. Calls that write end after
// ten seconds; the rest is for clocks that differ.
const Lateness = 15_000

// maxTold is how many ids a cursor holds at most.
const maxTold = 100

// Told is what a subscription has told already: everything up to a time that nothing new can have any more, and the
// rows with these ids of what came after. So it reads on by time and yet loses nothing that was committed late, and
// repeats nothing. Its text is the cursor with which a client resumes.
type Told struct {
	upTo int64           // milliseconds since 1970 UTC
	rows map[int64]int64 // the times of rows by id, 0 = not known yet
}

// ParseTold reads a cursor of a subscription, or one of a page, of which only the row itself counts as told. Anything
// else is InvalidArgument. "" has told nothing.
func ParseTold(cursor string) (*Told, error) {
	t := &Told{rows: map[int64]int64{}}
	if cursor == "" {
		return t, nil
	}
	text, isOurs := strings.CutPrefix(cursor, "~")
	if !isOurs {
		place, err := ParseCursor(cursor)
		if err != nil {
			return nil, err
		}
		t.Add(place.ID, place.CreatedAt)
		return t, nil
	}
	errCursor := codes.Errorf(codes.InvalidArgument, "this is not a cursor of this subscription")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	parts := strings.Split(string(raw), ".")
	if err != nil || len(parts) > maxTold+1 {
		return nil, errCursor
	}
	for i, part := range parts {
		n, err := strconv.ParseInt(part, 36, 64)
		switch {
		case err != nil || n < 0:
			return nil, errCursor
		case i == 0:
			t.upTo = n
		default:
			t.rows[n] = 0
		}
	}
	return t, nil
}

// UpTo returns the time up to which everything is told: reading goes on behind it.
func (t *Told) UpTo() int64 { return t.upTo }

// Has says whether a row is told.
func (t *Told) Has(id, createdAt int64) bool {
	_, told := t.rows[id]
	return told || createdAt <= t.upTo
}

// Add notes a row as told. Rows are added in the order of their times, but for those that were committed late.
func (t *Told) Add(id, createdAt int64) {
	t.rows[id] = createdAt
	t.upTo = max(t.upTo, createdAt-Lateness)
	maps.DeleteFunc(t.rows, func(_, at int64) bool { return at != 0 && at <= t.upTo })
	if len(t.rows) > maxTold { // so many at once that the oldest must do without the care for late ones
		oldest := id
		for other, at := range t.rows {
			if at < t.rows[oldest] {
				oldest = other
			}
		}
		t.upTo = max(t.upTo, t.rows[oldest])
		delete(t.rows, oldest)
	}
}

// Forget notes a row as not told.
func (t *Told) Forget(id int64) { delete(t.rows, id) }

// Met notes the time of a row that has come again.
func (t *Told) Met(id, createdAt int64) {
	if _, told := t.rows[id]; told {
		t.rows[id] = createdAt
	}
}

// Cursor returns the text.
func (t *Told) Cursor() string {
	parts := []string{strconv.FormatInt(t.upTo, 36)}
	for _, id := range slices.Sorted(maps.Keys(t.rows)) {
		parts = append(parts, strconv.FormatInt(id, 36))
	}
	return "~" + base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts, ".")))
}

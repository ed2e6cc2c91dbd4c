package model

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"

	"minidouyin/idl/codes"
)

// CommitDelay bounds, in milliseconds, how long after the time of a row the row is committed. Calls that write end
// after ten seconds; the rest is for clocks that differ.
const CommitDelay = 15_000

// maxSent is the number of IDs that a cursor holds at most.
const maxSent = 100

// Sent is the set of rows already delivered to a subscriber: all rows up to a time before which no new row can be
// committed, and the IDs of later ones. So a subscription reads on by time, misses no row that was committed late, and
// repeats none. Its text is the cursor with which a client resumes.
type Sent struct {
	upTo int64           // milliseconds since 1970 UTC
	rows map[int64]int64 // the times of rows by ID, 0 = not known yet
}

// ParseSent parses the cursor of a subscription, or the cursor of a page: then that one row counts as sent. "" is an
// empty set. Anything else is InvalidArgument.
func ParseSent(cursor string) (*Sent, error) {
	s := &Sent{rows: map[int64]int64{}}
	if cursor == "" {
		return s, nil
	}
	text, isOurs := strings.CutPrefix(cursor, "~")
	if !isOurs {
		row, err := ParseCursor(cursor)
		if err != nil {
			return nil, err
		}
		s.Add(row.ID, row.CreatedAt)
		return s, nil
	}
	errCursor := codes.Errorf(codes.InvalidArgument, "this is not a cursor of this subscription")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	parts := strings.Split(string(raw), ".")
	if err != nil || len(parts) > maxSent+1 {
		return nil, errCursor
	}
	for i, part := range parts {
		n, err := strconv.ParseInt(part, 36, 64)
		switch {
		case err != nil || n < 0:
			return nil, errCursor
		case i == 0:
			s.upTo = n
		default:
			s.rows[n] = 0
		}
	}
	return s, nil
}

// UpTo returns the time up to which all rows are sent. The next read starts after it.
func (s *Sent) UpTo() int64 { return s.upTo }

// Has reports whether a row is sent.
func (s *Sent) Has(id, createdAt int64) bool {
	_, sent := s.rows[id]
	return sent || createdAt <= s.upTo
}

// Add marks a row as sent. Rows are added in the order of their times, except those that were committed late.
func (s *Sent) Add(id, createdAt int64) {
	s.rows[id] = createdAt
	s.upTo = max(s.upTo, createdAt-CommitDelay)
	maps.DeleteFunc(s.rows, func(_, at int64) bool { return at != 0 && at <= s.upTo })
	if len(s.rows) > maxSent { // full: rows that are committed late and are older than the oldest ID are missed
		oldest := id
		for other, at := range s.rows {
			if at < s.rows[oldest] {
				oldest = other
			}
		}
		s.upTo = max(s.upTo, s.rows[oldest])
		delete(s.rows, oldest)
	}
}

// Remove marks a row as not sent.
func (s *Sent) Remove(id int64) { delete(s.rows, id) }

// SetTime sets the time of a row if the row is sent: a parsed cursor has IDs without times.
func (s *Sent) SetTime(id, createdAt int64) {
	if _, sent := s.rows[id]; sent {
		s.rows[id] = createdAt
	}
}

// Cursor returns the text of the set.
func (s *Sent) Cursor() string {
	parts := []string{strconv.FormatInt(s.upTo, 36)}
	for _, id := range slices.Sorted(maps.Keys(s.rows)) {
		parts = append(parts, strconv.FormatInt(id, 36))
	}
	return "~" + base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts, ".")))
}

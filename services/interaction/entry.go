package interaction

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// versionShift makes a version of the id of a stream entry, milliseconds and a number within them: both in one
// number, in the order of the stream. It lasts until the year 2039.
const versionShift = 22

// The one field of an entry: of a like, and of what only lifts the versions of its stream.
const (
	entryField = "like"
	liftField  = "lift"
)

// entry is a change as it stands in the log.
type entry struct {
	versioned
	partition int
	id        string // of the entry in its stream
	lift      bool   // it is no like
	late      bool   // it was written after its sender had given up: nobody was told that it holds
}

// encode returns the text of a change in the log. It counts only if Redis writes it until the deadline, in its own
// milliseconds.
func encode(c change, deadline int64) string {
	liked := "0"
	if c.Liked {
		liked = "1"
	}
	text := make([]byte, 0, 80)
	text = append(text, liked...)
	for _, n := range [...]int64{c.UserID, c.VideoID, c.AuthorID, deadline} {
		text = strconv.AppendInt(append(text, ' '), n, 10)
	}
	return string(text)
}

// decode reads an entry of the partition's stream. Its errors say what is wrong with the entry.
func decode(partition int, message redis.XMessage) (entry, error) {
	e := entry{partition: partition, id: message.ID}
	var err error
	if e.version, err = versionOf(message.ID); err != nil {
		return e, err
	}
	text, ok := message.Values[entryField].(string)
	if _, lift := message.Values[liftField]; lift && !ok {
		e.lift = true
		return e, nil
	}
	if !ok {
		return e, errors.New("no field " + entryField)
	}
	fields := strings.Split(text, " ")
	if len(fields) != 5 || fields[0] != "0" && fields[0] != "1" {
		return e, fmt.Errorf("not a like: %.80q", text)
	}
	e.Liked = fields[0] == "1"
	var deadline int64
	for i, n := range []*int64{&e.UserID, &e.VideoID, &e.AuthorID, &deadline} {
		if *n, err = strconv.ParseInt(fields[i+1], 10, 64); err != nil || *n < 0 {
			return e, fmt.Errorf("not a like: %.80q", text)
		}
	}
	if e.UserID == 0 || e.VideoID == 0 || e.Liked && e.AuthorID == 0 || partitionOf(e.UserID) != partition {
		return e, fmt.Errorf("no such like can be: %.80q", text)
	}
	e.late = e.version>>versionShift > deadline
	return e, nil
}

// versionOf returns the version that the id of a stream entry stands for.
func versionOf(id string) (int64, error) {
	msText, seqText, _ := strings.Cut(id, "-")
	ms, err := strconv.ParseInt(msText, 10, 64)
	seq, err2 := strconv.ParseInt(seqText, 10, 64)
	if err != nil || err2 != nil || ms < 0 || seq < 0 || ms >= 1<<(63-versionShift) || seq >= 1<<versionShift {
		return 0, fmt.Errorf("no version can be made of the id %.40q", id)
	}
	return ms<<versionShift + seq, nil
}

// partitions is how many streams the log has. The number is part of what is stored: it never changes.
const partitions = 64

func partitionOf(user int64) int { return int(user % partitions) }

// The keys of one partition have one hash tag, so that a cluster keeps them together.

func streamKey(partition int) string { return "likes:{" + strconv.Itoa(partition) + "}" }

func leaseKey(partition int) string { return "likes:{" + strconv.Itoa(partition) + "}:flusher" }

func deadKey(partition int) string { return "likes:{" + strconv.Itoa(partition) + "}:dead" }

// stateKey names the hash of what a user likes: a [state] by video, for the videos that were looked at or liked of
// late.
func stateKey(user int64) string {
	return "fav:{" + strconv.Itoa(partitionOf(user)) + "}:" + strconv.FormatInt(user, 10)
}

// state is what Redis knows of a pair.
type state struct {
	liked bool
	at    int64 // when that was promised, in Redis's milliseconds; 0 when it comes from the database
}

func (s state) text() string {
	text := "0"
	if s.liked {
		text = "1"
	}
	if s.at != 0 {
		text += " " + strconv.FormatInt(s.at, 10)
	}
	return text
}

func parseState(text string) state {
	liked, at, _ := strings.Cut(text, " ")
	s := state{liked: liked == "1"}
	s.at, _ = strconv.ParseInt(at, 10, 64) // 0 without one
	return s
}

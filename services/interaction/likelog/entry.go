package likelog

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// VersionShift converts the id of a stream entry to a version. The id is milliseconds and a number within them; the
// version has both in one number, in the order of the stream. It lasts until the year 2039.
const VersionShift = 22

// The one field of an entry: that of a change, and that of an entry which only raises the ids of its stream.
const (
	entryField = "like"
	raiseField = "lift"
)

// entry is an entry of a stream.
type entry struct {
	Change
	partition int
	id, text  string
	deadline  int64
	skip      bool  // Redis wrote it after its deadline, or it only raises the ids: it was not acknowledged
	err       error // why it cannot be stored
}

// encode returns the text of a change. It counts only if Redis writes it before the deadline, in milliseconds of its
// clock.
func encode(c Change, deadline int64) string {
	return fmt.Sprintf("%d %d %d %d %d", c.Liked, c.UserID, c.VideoID, c.AuthorID, deadline)
}

// decode decodes an entry of a partition's stream. An invalid one gets some user of the partition.
func decode(partition int, message redis.XMessage) entry {
	text, isLike := message.Values[entryField].(string)
	c, deadline, valid := parse(text)
	var err error
	if c.Version, err = versionOf(message.ID); err != nil || !isLike || !valid || partitionOf(c.UserID) != partition {
		_, raises := message.Values[raiseField]
		return entry{Change: Change{Pair: Pair{UserID: int64(partition)}}, partition: partition, id: message.ID,
			text: fmt.Sprint(message.Values), skip: raises, err: errors.New("not a like of this partition")}
	}
	return entry{c, partition, message.ID, text, deadline, c.Version>>VersionShift > deadline, nil}
}

// parse is the reverse of encode.
func parse(text string) (c Change, deadline int64, valid bool) {
	var n [5]int64
	fields := strings.Split(text, " ")
	if len(fields) != len(n) {
		return c, 0, false
	}
	for i, field := range fields {
		var err error
		if n[i], err = strconv.ParseInt(field, 10, 64); err != nil || n[i] < 0 {
			return c, 0, false
		}
	}
	c = Change{Pair: Pair{n[1], n[2]}, AuthorID: n[3], Liked: int8(n[0])}
	return c, n[4], n[0] <= 1 && c.UserID > 0 && c.VideoID > 0 && (n[0] == 0 || c.AuthorID > 0)
}

// versionOf returns the version for the id of a stream entry.
func versionOf(id string) (int64, error) {
	msText, seqText, _ := strings.Cut(id, "-")
	ms, err := strconv.ParseInt(msText, 10, 64)
	seq, err2 := strconv.ParseInt(seqText, 10, 64)
	if err != nil || err2 != nil || ms < 0 || seq < 0 || ms >= 1<<(63-VersionShift) || seq >= 1<<VersionShift {
		return 0, fmt.Errorf("id %.40q is not a version", id)
	}
	return ms<<VersionShift + seq, nil
}

// partitions is how many streams the log has. It is part of the stored format and never changes.
const partitions = 64

func partitionOf(user int64) int { return int(user % partitions) }

// The keys of a partition have one hash tag, so a cluster keeps them on one server.

func streamKey(partition int) string { return "likes:{" + strconv.Itoa(partition) + "}" }

func deadKey(partition int) string { return streamKey(partition) + ":dead" }

// stateKey returns the key of a user's hash of states by video.
func stateKey(user int64) string {
	return "fav:{" + strconv.Itoa(partitionOf(user)) + "}:" + strconv.FormatInt(user, 10)
}

// stateText returns the state of a pair, with the deadline of its entry.
func stateText(liked int8, deadline int64) string {
	return strconv.Itoa(int(liked)) + " " + strconv.FormatInt(deadline, 10)
}

package likelog

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// VersionShift makes a version of the id of a stream entry, milliseconds and a number within them: both in one number,
// in the order of the stream. It lasts until the year 2039.
const VersionShift = 22

// The one field of an entry: of a change, and of what only raises the ids of its stream.
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
	skip      bool  // it was written after its sender had given up, or is no change: nobody was promised it
	err       error // why it cannot be stored
}

// encode returns the text of a change in the log. It counts only if Redis writes it until the deadline, in its own
// milliseconds.
func encode(c Change, deadline int64) string {
	return fmt.Sprintf("%d %d %d %d %d", c.Liked, c.UserID, c.VideoID, c.AuthorID, deadline)
}

// decode reads an entry of a partition's stream.
func decode(partition int, message redis.XMessage) entry {
	e := entry{partition: partition, id: message.ID, text: fmt.Sprint(message.Values), err: errors.New("not a like of this partition")}
	e.UserID = int64(partition) // until the entry is read, any user of the partition
	version, err := versionOf(message.ID)
	text, isLike := message.Values[entryField].(string)
	if _, e.skip = message.Values[raiseField]; err != nil || e.skip || !isLike {
		return e
	}
	var n [5]int64
	fields := strings.Split(text, " ")
	for i := 0; i < len(n) && len(fields) == len(n); i++ {
		if n[i], err = strconv.ParseInt(fields[i], 10, 64); err != nil || n[i] < 0 {
			return e
		}
	}
	if n[0] > 1 || n[1] == 0 || n[2] == 0 || n[0] == 1 && n[3] == 0 || partitionOf(n[1]) != partition {
		return e
	}
	return entry{Change: Change{Pair{n[1], n[2]}, n[3], int8(n[0]), version},
		partition: partition, id: message.ID, text: text, deadline: n[4], skip: version>>VersionShift > n[4]}
}

// versionOf returns the version that the id of a stream entry stands for.
func versionOf(id string) (int64, error) {
	msText, seqText, _ := strings.Cut(id, "-")
	ms, err := strconv.ParseInt(msText, 10, 64)
	seq, err2 := strconv.ParseInt(seqText, 10, 64)
	if err != nil || err2 != nil || ms < 0 || seq < 0 || ms >= 1<<(63-VersionShift) || seq >= 1<<VersionShift {
		return 0, fmt.Errorf("no version can be made of the id %.40q", id)
	}
	return ms<<VersionShift + seq, nil
}

// partitions is how many streams the log has. The number is part of what is stored: it never changes.
const partitions = 64

func partitionOf(user int64) int { return int(user % partitions) }

// The keys of one partition have one hash tag, so that a cluster keeps them together.

func streamKey(partition int) string { return "likes:{" + strconv.Itoa(partition) + "}" }

func deadKey(partition int) string { return streamKey(partition) + ":dead" }

// stateKey names the hash of what a user was promised: by video, the text of a state.
func stateKey(user int64) string {
	return "fav:{" + strconv.Itoa(partitionOf(user)) + "}:" + strconv.FormatInt(user, 10)
}

// stateText is the state of a pair, with the deadline of its entry.
func stateText(liked int8, deadline int64) string {
	return strconv.Itoa(int(liked)) + " " + strconv.FormatInt(deadline, 10)
}

package interaction

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"minidouyin/idl/codes"
	"minidouyin/services/internal/breaker"
)

const (
	// logTimeout bounds one write to the log; Redis is away when it takes longer.
	logTimeout = time.Second
	// maxCommit is how many likes share one round trip to Redis. One is under way at a time: what arrives meanwhile
	// shares the next, and so one sync of Redis's disk.
	maxCommit = 512
	// stateTTL is how long Redis knows what a user likes after the user was last seen. It is longer than likes may
	// wait for the database.
	stateTTL = time.Hour
	// freshTime is how long after a like its user's counts are worth a look at whether the database has it. Later it has,
	// or they would have to wait for too long.
	freshTime = 2 * time.Second
	// maxRepair bounds the memory for what Redis has to be told when it is back.
	maxRepair = 100_000
)

// likeLog is the log of likes in Redis, in front of the database.
//
// A like is one MULTI: the new state of the pair in the user's hash, and an entry in the stream of the user's
// partition. The entry holds the absolute state, and its id is the version. A [flusher] carries entries over into the
// database, in which a newer version wins, so each may be carried over twice. An entry is in the stream exactly as long
// as it is not in the database.
//
// Each entry has a deadline: one that Redis writes later does not count, and its sender is told so too. So a
// write whose outcome is unknown is decided when the deadline has passed, and can undo nothing that is promised later.
type likeLog struct {
	redis redis.UniversalClient
	store *store
	log   *slog.Logger
	met   *metrics

	queue  chan *appending
	up     atomic.Bool
	skew   atomic.Int64 // how far Redis's clock is ahead of ours, in milliseconds
	lifted atomic.Int64 // milliseconds of the versions that streams were lifted to, which may be ahead of all clocks
	floor  atomic.Int64 // the highest version that was given without Redis

	mu     sync.Mutex
	repair map[pair]struct{} // changed without Redis, whose states are wrong
}

// clock returns the milliseconds that the next version will have, about.
func (l *likeLog) clock() int64 { return max(l.redisTime(time.Now()), l.lifted.Load()) }

// redisTime returns what Redis's clock shows at a time of ours, in milliseconds.
func (l *likeLog) redisTime(t time.Time) int64 { return t.UnixMilli() + l.skew.Load() }

// errAway means that Redis did not take a like: it certainly will not count.
var errAway = errors.New("redis is away")

// appending is a change on its way into the log.
type appending struct {
	change
	ctx     context.Context
	version int64
	err     error
	done    chan struct{}
}

// append writes the change to the log and returns its version. After an error it does not count: [errAway] when Redis
// is away.
func (l *likeLog) append(ctx context.Context, c change) (int64, error) {
	if !l.up.Load() {
		return 0, errAway
	}
	a := &appending{change: c, ctx: ctx, done: make(chan struct{})}
	select {
	case l.queue <- a:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	<-a.done // a committer takes what is queued, within the deadline of its write
	return a.version, a.err
}

// commit writes what is queued to Redis until ctx ends, as much at once as there is.
func (l *likeLog) commit(ctx context.Context, written func(partitions uint64)) {
	batch := make([]*appending, 0, maxCommit)
	for {
		batch = batch[:0]
		select {
		case <-ctx.Done():
			l.refuseQueued()
			return
		case a := <-l.queue:
			batch = append(batch, a)
		}
	fill:
		for len(batch) < maxCommit {
			select {
			case a := <-l.queue:
				batch = append(batch, a)
			default:
				break fill
			}
		}
		written(l.write(batch))
		for _, a := range batch {
			close(a.done)
		}
	}
}

// refuseQueued answers what no committer will take any more.
func (l *likeLog) refuseQueued() {
	for {
		select {
		case a := <-l.queue:
			a.err = errAway
			close(a.done)
		default:
			return
		}
	}
}

// write writes the changes and sets their versions or errors; it returns the partitions written to.
func (l *likeLog) write(batch []*appending) (changed uint64) {
	// Not the senders' contexts: the batch is of many.
	ctx, cancel := context.WithTimeout(context.Background(), logTimeout)
	defer cancel()
	left := make([]*appending, 0, len(batch))
	for _, a := range batch {
		if a.err = a.ctx.Err(); a.err == nil {
			left = append(left, a)
		}
	}
	for try := 0; len(left) > 0; try++ {
		if try == 3 || !l.up.Load() {
			fail(left)
			break
		}
		groups := l.atomicGroups(left)
		redone := make([][]*appending, len(groups))
		var writes sync.WaitGroup
		for i, group := range groups[1:] {
			writes.Go(func() { redone[i+1] = l.writeGroup(ctx, group) })
		}
		redone[0] = l.writeGroup(ctx, groups[0])
		writes.Wait()
		redo := slices.Concat(redone...)
		if len(redo) > 0 {
			if err := l.open(ctx, l.floor.Load()); err != nil {
				l.log.Warn("the log of likes cannot be begun", "error", err)
				fail(redo)
				break
			}
		}
		left = redo
	}
	for _, a := range batch {
		if a.err == nil {
			changed |= 1 << partitionOf(a.UserID)
		}
	}
	return changed
}

func fail(all []*appending) {
	for _, a := range all {
		a.err = errAway
	}
}

// atomicGroups splits a batch into what Redis can write in one MULTI: all of it, in a cluster each partition.
func (l *likeLog) atomicGroups(batch []*appending) [][]*appending {
	if _, cluster := l.redis.(*redis.ClusterClient); !cluster {
		return [][]*appending{batch}
	}
	byPartition := map[int][]*appending{}
	for _, a := range batch {
		byPartition[partitionOf(a.UserID)] = append(byPartition[partitionOf(a.UserID)], a)
	}
	groups := make([][]*appending, 0, len(byPartition))
	for _, group := range byPartition {
		groups = append(groups, group)
	}
	return groups
}

// writeGroup writes the changes in one MULTI. It returns those that have to be written again, to a stream that has to
// be opened first: it is not there, or its versions are lower than some that were given without Redis.
func (l *likeLog) writeGroup(ctx context.Context, group []*appending) (redo []*appending) {
	start := time.Now()
	at := l.redisTime(start)
	deadline := l.clock() + logTimeout.Milliseconds()
	adds := make([]*redis.StringCmd, len(group))
	_, err := l.redis.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		for i, a := range group {
			key := stateKey(a.UserID)
			pipe.HSet(ctx, key, strconv.FormatInt(a.VideoID, 10), state{a.Liked, at}.text())
			adds[i] = pipe.XAdd(ctx, &redis.XAddArgs{
				Stream: streamKey(partitionOf(a.UserID)), NoMkStream: true, Values: []string{entryField, encode(a.change, deadline)}})
			pipe.Expire(ctx, key, stateTTL)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		l.broken(err)
		if !refused(err) { // it may still be on its way, until the deadline
			time.Sleep(time.Until(start.Add(logTimeout)))
		}
		fail(group)
		return nil
	}
	for i, a := range group {
		id, err := adds[i].Result()
		if errors.Is(err, redis.Nil) {
			redo = append(redo, a)
			continue
		}
		if err == nil {
			a.version, err = versionOf(id)
		}
		switch {
		case err != nil:
			l.broken(err)
			a.err = errAway
		case a.version>>versionShift > deadline:
			raise(&l.lifted, a.version>>versionShift)
			a.err = errAway
		case a.version <= l.floor.Load():
			redo = append(redo, a)
		}
	}
	return redo
}

// refused tells whether Redis certainly did nothing: it answered with an error, or was not reached at all.
func refused(err error) bool {
	if _, answered := errors.AsType[redis.Error](err); answered || errors.Is(err, breaker.ErrOpen) {
		return true
	}
	op, network := errors.AsType[*net.OpError](err)
	return network && op.Op == "dial"
}

// broken notes that Redis does not do its work. The flusher's round finds out when it does again.
func (l *likeLog) broken(err error) {
	if l.up.CompareAndSwap(true, false) {
		l.log.Warn("Redis is away: likes and counts come from the database alone", "error", err)
	}
}

// open begins the streams that are not there, above all versions that the database has ever seen: Redis may have lost
// everything, and its clock may have gone back. With a floor, it lifts all streams above that too.
func (l *likeLog) open(ctx context.Context, floor int64) error {
	known, err := reserved(l.store.db.Read(ctx))
	if err != nil {
		return fmt.Errorf("read the reserved version: %w", err)
	}
	var there [partitions]*redis.IntCmd
	_, err = l.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for p := range partitions {
			there[p] = pipe.Exists(ctx, streamKey(p))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for the streams: %w", err)
	}
	ms := max(known, floor)>>versionShift + 1
	raise(&l.lifted, ms)
	// No like has this number within its millisecond, it would be the two millionth: so none is deleted with it.
	lift := fmt.Sprintf("%d-%d", ms, 1<<(versionShift-1))
	_, err = l.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for p := range partitions {
			if floor > 0 || there[p].Val() == 0 {
				pipe.XAdd(ctx, &redis.XAddArgs{Stream: streamKey(p), ID: lift, Values: []string{liftField, ""}})
				pipe.XDel(ctx, streamKey(p), lift)
			}
		}
		return nil
	})
	if err != nil && !redis.HasErrorPrefix(err, "ERR The ID specified in XADD is equal or smaller") { // lifted by another
		return fmt.Errorf("begin the streams: %w", err)
	}
	return nil
}

// raise sets n to at least to.
func raise(n *atomic.Int64, to int64) {
	for {
		now := n.Load()
		if to <= now || n.CompareAndSwap(now, to) {
			return
		}
	}
}

// direct makes the change in the database without the log, newer than all that was promised before: for when Redis is
// away, and every promise is kept by the database.
func (l *likeLog) direct(ctx context.Context, c change) ([]like, error) {
	version := l.clock() << versionShift
	rows, err := l.store.apply(ctx, []versioned{{c, version}}, true)
	if err != nil {
		return nil, fmt.Errorf("write like: %w", err)
	}
	for _, row := range rows {
		raise(&l.floor, row.Version)
	}
	l.mu.Lock()
	if len(l.repair) < maxRepair {
		l.repair[c.pair] = struct{}{}
	}
	l.mu.Unlock()
	if l.up.Load() { // it came back while the database was busy: nobody else looks any more
		if err := l.drop(ctx, []pair{c.pair}); err != nil {
			l.readFailed(ctx, err)
		}
	}
	return rows, nil
}

// unavailable is the answer to a like that could not be promised.
func unavailable() error {
	return codes.Errorf(codes.UpstreamUnavailable, "likes cannot be taken right now, please try again")
}

// states returns whether the user likes the videos, as far as Redis knows, and whether some of that was written a
// moment ago, so that the database may not have it.
func (l *likeLog) states(ctx context.Context, user int64, videos []int64) (known map[int64]bool, fresh bool, err error) {
	fields := make([]string, len(videos))
	for i, id := range videos {
		fields[i] = strconv.FormatInt(id, 10)
	}
	bounded, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	values, err := l.redis.HMGet(bounded, stateKey(user), fields...).Result()
	if err != nil {
		l.readFailed(ctx, err)
		return nil, false, err
	}
	since := l.redisTime(time.Now()) - freshTime.Milliseconds()
	known = make(map[int64]bool, len(videos))
	for i, id := range videos {
		if text, ok := values[i].(string); ok {
			s := parseState(text)
			known[id] = s.liked
			fresh = fresh || s.at > since
		}
	}
	return known, fresh, nil
}

// learn tells Redis what the database says of videos of which it knew nothing. What was liked meanwhile stays.
func (l *likeLog) learn(ctx context.Context, user int64, states map[int64]bool) {
	bounded, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	key := stateKey(user)
	_, err := l.redis.Pipelined(bounded, func(pipe redis.Pipeliner) error {
		for id, liked := range states {
			pipe.HSetNX(ctx, key, strconv.FormatInt(id, 10), state{liked: liked}.text())
		}
		pipe.Expire(ctx, key, stateTTL)
		return nil
	})
	if err != nil {
		l.readFailed(ctx, err)
	}
}

// drop makes Redis forget states, which the database knows better.
func (l *likeLog) drop(ctx context.Context, pairs []pair) error {
	if len(pairs) == 0 {
		return nil
	}
	_, err := l.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, p := range pairs {
			pipe.HDel(ctx, stateKey(p.UserID), strconv.FormatInt(p.VideoID, 10))
		}
		return nil
	})
	return err
}

// readFailed notes a failure unless the asker's own time was up.
func (l *likeLog) readFailed(ctx context.Context, err error) {
	if ctx.Err() == nil {
		l.broken(err)
	}
}

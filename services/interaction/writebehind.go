package interaction

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/services/internal/cache"
	"minidouyin/services/internal/database"
)

const (
	// defaultOwnWait is long for a flush, and short for who waits for a database that is away.
	defaultOwnWait = 200 * time.Millisecond
	// defaultLagAlarm is far beyond what any load makes.
	defaultLagAlarm = 10 * time.Second
	// drainTime bounds how long the end of the process waits for the database.
	drainTime = 5 * time.Second
)

// likes are the likes with the log in front of the database, or without one where there is no Redis.
type likes struct {
	*flusher // nil without Redis
	store    *store
	counts   *counts // nil without a cache
	met      *metrics
	ack      string
	ownWait  time.Duration // how long one's own pages wait for what one has just liked

	stop    context.CancelFunc
	running sync.WaitGroup
}

func openLikes(ctx context.Context, s *store, cfg Config) *likes {
	ls := &likes{store: s, met: newMetrics(cfg.Registry), ack: cfg.Ack, ownWait: cmp.Or(cfg.OwnWait, defaultOwnWait), stop: func() {}}
	if ls.ack == "" {
		ls.ack = AckStored
	}
	if cfg.Cache != nil {
		ls.counts = openCounts(cfg.Cache)
	}
	if cfg.Redis == nil {
		return ls
	}
	log := &likeLog{redis: cfg.Redis, store: s, log: cfg.Log, met: ls.met, queue: make(chan *appending), repair: map[pair]struct{}{}}
	log.up.Store(true)
	ls.flusher = newFlusher(log, ls.counts.drop)
	ls.alarm = cmp.Or(cfg.LagAlarm, defaultLagAlarm)
	ls.onRisks = func(context.Context) {}
	if ls.ack == AckLogged {
		ls.linger = linger
		ls.onRisks = func(ctx context.Context) { logRisks(ctx, cfg.Redis, cfg.Log) }
	}
	ls.start(ctx)
	return ls
}

// start looks for Redis, begins the log, and runs what carries it over until close.
func (ls *likes) start(ctx context.Context) {
	if ls.round(ctx); ls.up.Load() {
		if err := ls.open(ctx, 0); err != nil {
			ls.broken(err)
		}
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ls.stop = stop
	ls.running.Go(func() { ls.watch(running) })
	ls.running.Go(func() { ls.commit(running, ls.notify) })
	for i := range flushers {
		ls.running.Go(func() { ls.run(running, i) })
	}
}

func (ls *likes) close() {
	if ls.flusher != nil {
		ls.settle(context.Background(), ^uint64(0), drainTime)
	}
	ls.stop()
	ls.running.Wait()
}

// change makes the change and returns when it is promised.
func (ls *likes) change(ctx context.Context, c change) error {
	if err := ls.promise(ctx, c); err != nil {
		return err
	}
	ls.met.acknowledged.Inc()
	return nil
}

func (ls *likes) promise(ctx context.Context, c change) error {
	if ls.flusher == nil {
		rows, err := ls.store.apply(ctx, []versioned{{c, now() << versionShift}}, true)
		if ls.counts != nil { // also after an error: it may be committed
			ls.counts.drop(ctx, append(rows, like{UserID: c.UserID, VideoID: c.VideoID, AuthorID: c.AuthorID}))
		}
		if err != nil {
			return fmt.Errorf("write like: %w", err)
		}
		return nil
	}
	version, err := ls.append(ctx, c)
	switch {
	case errors.Is(err, errAway) && ls.ack == AckStored:
		rows, err := ls.direct(ctx, c)
		if err == nil {
			ls.counts.drop(ctx, rows)
		}
		return err
	case errors.Is(err, errAway):
		return unavailable()
	case err != nil:
		return err
	case ls.ack == AckStored:
		return ls.await(ctx, c.pair, version)
	}
	return nil
}

// of returns a page of the likes of each user, latest first, with all that was promised.
func (ls *likes) of(ctx context.Context, users []int64, p *page.Page) (map[int64]database.Rows[like], error) {
	if ls.ack == AckLogged {
		ls.settleUsers(ctx, users)
	}
	return ls.store.likesOf(ctx, users, p)
}

// settleUsers waits, for a short time at most, for the likes that users have given.
func (ls *likes) settleUsers(ctx context.Context, users []int64) {
	var work uint64
	for _, id := range users {
		work |= 1 << partitionOf(id)
	}
	if ls.flusher != nil && work != 0 {
		ls.settle(ctx, work, ls.ownWait)
	}
}

// stats returns the counts of every video, as the viewer sees them.
func (ls *likes) stats(ctx context.Context, viewer int64, videos []int64) (map[int64]*interaction.VideoStats, error) {
	if ls.counts == nil || ls.flusher != nil && !ls.up.Load() || len(videos) == 0 {
		return ls.store.stats(ctx, viewer, videos)
	}
	if viewer == 0 {
		return ls.counts.of(ctx, ls.store, videos)
	}
	// First what the viewer likes: the counts then have it too.
	liked, err := ls.liked(ctx, viewer, videos)
	if err != nil {
		return nil, err
	}
	found, err := ls.counts.of(ctx, ls.store, videos)
	if err != nil {
		return nil, err
	}
	stats := make(map[int64]*interaction.VideoStats, len(found)) // what is found is shared
	for id, counts := range found {
		stats[id] = &interaction.VideoStats{LikeCount: counts.LikeCount, CommentCount: counts.CommentCount, LikedByViewer: liked[id]}
	}
	return stats, nil
}

// liked returns whether the viewer likes the videos: by what Redis knows, the others by one look into the database,
// which Redis then knows too. For what the viewer has promised just now, it waits until the database has it, for a
// short time at most.
func (ls *likes) liked(ctx context.Context, viewer int64, videos []int64) (map[int64]bool, error) {
	var known map[int64]bool
	var fresh bool
	if ls.flusher != nil {
		known, fresh, _ = ls.states(ctx, viewer, videos) // without Redis, the database knows
	}
	if fresh && ls.ack == AckLogged {
		ls.settleUsers(ctx, []int64{viewer})
	}
	var unknown []int64
	for _, id := range videos {
		if _, ok := known[id]; !ok {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return known, nil
	}
	found, err := ls.store.likedAmong(ctx, viewer, unknown)
	if err != nil {
		return nil, err
	}
	learnt := make(map[int64]bool, len(unknown))
	for _, id := range unknown {
		learnt[id] = false
	}
	for _, id := range found {
		learnt[id] = true
	}
	if known != nil {
		ls.learn(ctx, viewer, learnt)
	}
	for id, liked := range known {
		learnt[id] = liked
	}
	return learnt, nil
}

// userStats returns the counts of every user.
func (ls *likes) userStats(ctx context.Context, users []int64) (map[int64]*interaction.UserLikeStats, error) {
	if ls.counts == nil {
		return ls.store.userStats(ctx, users)
	}
	return ls.counts.ofUsers(ctx, ls.store, users)
}

// purgeVideo deletes what is held of a video. What is in the log at this moment is waited for; what comes later, from
// requests that were under way, goes with the second purge.
func (ls *likes) purgeVideo(ctx context.Context, id int64) error {
	if ls.flusher != nil {
		ls.settle(ctx, ^uint64(0), ls.ownWait)
	}
	return ls.store.purgeVideo(ctx, id, ls.purged(ctx))
}

// purgeUser deletes what a user gave.
func (ls *likes) purgeUser(ctx context.Context, id int64) error {
	ls.settleUsers(ctx, []int64{id})
	return ls.store.purgeUser(ctx, id, ls.purged(ctx))
}

func (ls *likes) purged(ctx context.Context) purged {
	return func(deleted []like, rest tally) {
		if ls.counts != nil {
			ls.counts.drop(ctx, deleted)
			keys := make([]string, 0, len(rest.videos))
			for id := range rest.videos {
				keys = append(keys, ls.counts.videos.Key(id))
			}
			ls.counts.cache.Delete(context.WithoutCancel(ctx), keys...)
		}
		if ls.flusher == nil || !ls.up.Load() {
			return
		}
		pairs := make([]pair, len(deleted))
		for i, l := range deleted {
			pairs[i] = l.pair()
		}
		if err := ls.drop(ctx, pairs); err != nil {
			ls.readFailed(ctx, err)
		}
	}
}

// changeVideo makes a change to the counts of a video beside its likes, which the caches then forget.
func (ls *likes) changeVideo(ctx context.Context, id int64, write func() error) error {
	if ls.counts == nil {
		return write()
	}
	return cache.Change(ctx, ls.counts.cache, func(cache.Also) error { return write() }, ls.counts.videos.Key(id))
}

package likelog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// checkInterval is how often a process checks whether Redis is available, and measures the lag.
	checkInterval = 500 * time.Millisecond
	checkTimeout  = 5 * time.Second
	// runningKey exists while a process writes to the log, and runningTime longer.
	runningKey  = "likes:running"
	runningTime = 5 * time.Second
)

// watch checks Redis until ctx ends.
func (l *Log) watch(ctx context.Context) {
	ticker := time.NewTicker(checkInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			l.report(ctx, l.check(ctx))
		}
	}
}

// report logs the result of a check.
func (l *Log) report(ctx context.Context, err error) {
	wrong := errors.Is(err, errSetting)
	l.alarm("redis can lose acknowledged likes, refusing them", wrong, "error", err)
	if err != nil && !wrong && ctx.Err() == nil {
		l.fail(err)
	}
}

// check makes the log available if Redis answers and keeps what it acknowledges, and measures the lag.
func (l *Log) check(ctx context.Context) (err error) {
	defer recovered(&err)
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	start := time.Now()
	clock, err := l.Redis.Time(ctx).Result()
	if err != nil {
		return err
	}
	if time.Since(start) < 100*time.Millisecond {
		l.skew.Store(clock.UnixMilli() - start.UnixMilli())
	}
	available := l.available.Load()
	if !available {
		if err := checkSettings(ctx, l.Config); err != nil {
			return err
		}
	}
	all, err := l.streams(ctx)
	if err != nil {
		return err
	}
	entries, lag, complete := int64(0), time.Duration(0), available
	for p, s := range all {
		complete = complete && s.hasGroup && s.last>>VersionShift >= l.newest[p].Load() // else Redis has lost data
		if entries += s.length; s.length > 0 {
			lag = max(lag, time.Duration(clock.UnixMilli()-s.first>>VersionShift)*time.Millisecond)
		}
	}
	l.metrics.waiting.Set(float64(entries))
	l.metrics.lag.Set(lag.Seconds())
	l.alarm("likes are waiting too long for the database", lag > l.LagAlarm, "oldest", lag, "entries", entries)
	if !complete {
		if err := l.ensureStreams(ctx); err != nil {
			return err
		}
	}
	err = l.Redis.Set(ctx, runningKey, 1, runningTime).Err()
	if err == nil && !available {
		l.available.Store(true)
		l.alarm(unavailableText, false)
	}
	return err
}

// stream is the state of a stream.
type stream struct {
	hasGroup    bool
	length      int64
	first, last int64 // versions of the oldest entry, 0 for none, and of the newest entry ever
}

// streams returns the state of all streams, zero for a missing one.
func (l *Log) streams(ctx context.Context) (all [partitions]stream, err error) {
	var infos [partitions]*redis.XInfoStreamCmd
	_, _ = l.Redis.Pipelined(ctx, func(pipe redis.Pipeliner) error { // each command has its error
		for p := range partitions {
			infos[p] = pipe.XInfoStream(ctx, streamKey(p))
		}
		return nil
	})
	for p, cmd := range infos {
		if redis.HasErrorPrefix(cmd.Err(), "no such key") {
			continue
		}
		if err := cmd.Err(); err != nil {
			return all, fmt.Errorf("read the state of the streams: %w", err)
		}
		info, s := cmd.Val(), &all[p]
		if s.last, err = versionOf(info.LastGeneratedID); err != nil {
			return all, err
		}
		s.first, _ = versionOf(info.FirstEntry.ID) // not above last: valid
		s.hasGroup, s.length = info.Groups > 0, info.Length
		raise(&l.newest[p], s.last>>VersionShift)
	}
	return all, nil
}

// ensureStream raises the ids of a stream above an id, and creates the group that reads it from its first entry.
// Commands that fail because this is already done are ignored.
const ensureStream = `redis.pcall('XADD', KEYS[1], ARGV[1], ARGV[2], '')
redis.call('XDEL', KEYS[1], ARGV[1])
redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[3], '0')`

// ensureStreams creates missing streams with ids above every version in the database. Redis may have lost everything,
// or its clock may have gone back.
func (l *Log) ensureStreams(ctx context.Context) error {
	reserved, err := l.Store.Reserved(ctx)
	if err != nil {
		return err
	}
	// No like has this number within its millisecond, it would be the two millionth. So this deletes no like.
	id := fmt.Sprintf("%d-%d", reserved>>VersionShift+1, 1<<(VersionShift-1))
	_, err = l.Redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for p := range partitions {
			pipe.Eval(ctx, ensureStream, []string{streamKey(p)}, id, raiseField, groupName)
			raise(&l.newest[p], reserved>>VersionShift+1)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return fmt.Errorf("create the streams: %w", err)
	}
	return nil
}

// errSetting is wrapped by errors about settings of Redis that can lose likes.
var errSetting = errors.New("redis can lose likes that it has acknowledged")

// checkSettings returns an error if Redis, or a master of a cluster, can lose what it acknowledges.
func checkSettings(ctx context.Context, cfg Config) error {
	check := func(ctx context.Context, server redis.Cmdable) error {
		for _, setting := range [][2]string{{"appendonly", "yes"}, {"appendfsync", "always"}, {"maxmemory-policy", "noeviction"}} {
			name, want := setting[0], setting[1]
			got, err := server.ConfigGet(ctx, name).Result()
			if _, answered := errors.AsType[redis.Error](err); err != nil && !answered {
				return err
			} else if err != nil || got[name] == "" {
				cfg.Log.Warn("a setting of redis cannot be read, likes are lost unless it is right", "setting", name, "want", want, "error", err)
			} else if got[name] != want {
				return fmt.Errorf("%w: its %s is %s, --like-ack=logged needs %s", errSetting, name, got[name], want)
			}
		}
		return nil
	}
	cluster, ok := cfg.Redis.(*redis.ClusterClient)
	if !ok {
		return check(ctx, cfg.Redis)
	}
	return cluster.ForEachMaster(ctx, func(ctx context.Context, server *redis.Client) error {
		if err := check(ctx, server); err != nil {
			return fmt.Errorf("%s: %w", server.Options().Addr, err)
		}
		return nil
	})
}

const unavailableText = "redis unavailable, refusing likes"

// fail marks Redis as unavailable. check finds out when it is available again.
func (l *Log) fail(err error) {
	l.available.Store(false)
	l.alarm(unavailableText, true, "error", err)
}

// alarm logs an error when a problem begins, and a line when it ends.
func (l *Log) alarm(what string, wrong bool, args ...any) {
	if _, was := l.alarms.Load(what); wrong && !was {
		if _, was = l.alarms.LoadOrStore(what, true); !was {
			l.Log.Error(what, args...)
		}
	} else if !wrong && was {
		l.alarms.Delete(what)
		l.Log.Info("over: "+what, args...)
	}
}

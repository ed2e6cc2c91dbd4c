package cache

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	commandTime = 500 * time.Millisecond  // the longest wait for Redis: what is slower is no help
	markTime    = 5 * time.Second         // how long a mark stands
	fillTime    = time.Second             // what took longer to load is not kept
	loadTime    = 30 * time.Second        // the longest load, should nobody wait for it any more
	nearTime    = time.Second             // how long a value is kept in the process
	nearMost    = 10_000                  // values kept in the process
	epochTime   = time.Second             // how old the known epoch may be
	epochTTL    = 24 * time.Hour          // longer than any value is kept
	openTime    = 500 * time.Millisecond  // how long Redis is left alone after it failed
	failures    = 3                       // in a row, after which it is
	restoredTTL = time.Minute             // of a value whose write was refused
	settleTime  = 1500 * time.Millisecond // after an outage, in which others may still mark what they changed meanwhile
	silentTime  = 3 * time.Second         // without an answer, after which Redis is away for everybody
	retryTime   = 100 * time.Millisecond  // between two attempts to mark what could not be marked
	pendingMost = 10_000                  // keys remembered for that
)

// What a text in Redis begins with. Values and absences are followed by the epoch in eight bytes, marks by what makes
// them unlike each other. An open mark is what a write leaves that nobody else had interfered with: the reader who saw
// it before loading may replace it.
const (
	isValue  = 'v'
	isAbsent = 'n'
	isMark   = "x"
	isOpen   = "o"
	header   = 1 + 8
)

func marked(text string) bool {
	return strings.HasPrefix(text, isMark) || strings.HasPrefix(text, isOpen)
}

// Redis is the part of a Redis that holds the caches of one service, as one process sees it.
type Redis struct {
	client  redis.UniversalClient
	service string
	log     *slog.Logger
	whole   *server // all of it, or all of a cluster of which nothing is known yet

	mu      sync.Mutex
	servers map[string]*server // of a cluster, by address
	order   uint64             // numbers reads and flights as they begin
	flights map[string]*flight
	near    map[string]nearValue
	changed [256]uint64 // how often keys were changed here, by a hash of the key
	pending map[string]uint64
	retries uint64 // numbers the entries of pending
	// lost says that there were too many to remember. Then all values in Redis are old, until they are told apart from
	// new ones by another epoch.
	lost    bool
	epoch   uint64 // of the values that are valid
	epochAt time.Time

	wake    chan struct{}
	stop    chan struct{}
	running sync.WaitGroup
}

// Open returns the caches of a service in the Redis of the client. It does not wait for Redis. The caller closes it,
// before the client.
func Open(client redis.UniversalClient, service string, log *slog.Logger) *Redis {
	r := &Redis{
		client: client, service: service, log: log, servers: map[string]*server{},
		flights: map[string]*flight{}, near: map[string]nearValue{}, pending: map[string]uint64{},
		wake: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	r.whole = r.newServer("")
	r.running.Go(r.retry)
	return r
}

// Close waits for the loads that are under way and tries a last time to mark what could not be marked.
func (r *Redis) Close() {
	close(r.stop)
	r.running.Wait()
}

func (r *Redis) epochKey() string { return r.service + ":epoch" }

// answer is what Redis has for a key.
type answer struct {
	state state
	value any    // nil when it is kept that there is none
	mark  string // an open one
}

type state int

const (
	unusable state = iota // marked, of another epoch, or Redis did not say
	missing
	kept
)

// ask returns what Redis has for the keys, and the epoch for what will be filled.
func (r *Redis) ask(ctx context.Context, k *kind, keys []string) (map[string]answer, uint64) {
	answers := make(map[string]answer, len(keys))
	if len(keys) == 0 {
		return answers, 0
	}
	r.mu.Lock()
	epoch, known := r.epoch, r.epochKnown()
	r.mu.Unlock()
	gets := make([]*redis.StringCmd, len(keys))
	var current *redis.StringCmd
	r.pipeline(ctx, func(at func(key string) redis.Pipeliner) {
		if !known {
			current = at(r.epochKey()).Get(ctx, r.epochKey())
		}
		for i, key := range keys {
			gets[i] = at(key).Get(ctx, key)
		}
	})
	if current != nil {
		var ok bool
		if epoch, ok = r.setEpoch(current); !ok {
			return answers, 0
		}
	}
	bypassed := r.bypassed(r.serversOf(ctx, keys)) // the answer may be the first after an outage
	var old []string
	for i, key := range keys {
		text, err := gets[i].Result()
		switch {
		case bypassed[i]:
		case errors.Is(err, redis.Nil):
			answers[key] = answer{state: missing}
		case err != nil:
		case strings.HasPrefix(text, isOpen):
			answers[key] = answer{mark: text}
		case strings.HasPrefix(text, isMark):
		default:
			value, err := k.open(text, epoch)
			if err != nil {
				old = append(old, key)
				continue
			}
			answers[key] = answer{state: kept, value: value}
		}
	}
	if len(old) > 0 { // gives way to new values when the mark has fallen
		r.mark(ctx, old)
	}
	return answers, epoch
}

func (r *Redis) epochKnown() bool { return time.Since(r.epochAt) < epochTime }

// setEpoch takes over what Redis said; no epoch is the epoch 0.
func (r *Redis) setEpoch(said *redis.StringCmd) (epoch uint64, ok bool) {
	epoch, err := said.Uint64()
	if err != nil && !errors.Is(err, redis.Nil) {
		return 0, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.epoch, r.epochAt = epoch, time.Now()
	return epoch, true
}

var errOld = errors.New("a value of another epoch or form")

func (k *kind) open(text string, epoch uint64) (any, error) {
	if len(text) < header || binary.BigEndian.Uint64([]byte(text[1:header])) != epoch {
		return nil, errOld
	}
	switch text[0] {
	case isValue:
		return k.decode(text[header:])
	case isAbsent:
		return nil, nil
	}
	return nil, errOld
}

func (k *kind) close(value any, epoch uint64) []byte {
	begin := byte(isValue)
	if value == nil {
		begin = isAbsent
	}
	return append(binary.BigEndian.AppendUint64([]byte{begin}, epoch), k.encode(value)...)
}

// refill puts a value in the place of the open mark that its reader saw.
const refill = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end return 1`

// fill keeps values where nothing is, or the open mark that the reader saw before the load.
func (r *Redis) fill(ctx context.Context, k *kind, values map[string]any, marks map[string]string, epoch uint64) {
	if len(values) == 0 {
		return
	}
	r.pipeline(ctx, func(at func(key string) redis.Pipeliner) { // what is not kept is loaded again
		for key, value := range values {
			text, ttl := k.close(value, epoch), k.ttl(value)
			if mark := marks[key]; mark != "" {
				at(key).Eval(ctx, refill, []string{key}, mark, text, ttl.Milliseconds())
			} else {
				at(key).SetNX(ctx, key, text, ttl)
			}
		}
	})
}

package social

import (
	"context"
	"slices"
	"time"

	"minidouyin/idl/kitex_gen/page"
	"minidouyin/idl/kitex_gen/social"
	"minidouyin/services/internal/cache"
)

const (
	// ttl bounds how long something is kept that nobody reads or changes any more. Changes do not wait for it.
	ttl = 10 * time.Minute
	// firstEdges is how many follows of a list are kept. When unfollowing leaves fewer than half, they are read anew.
	firstEdges = 1000
	// lastMessages is how many messages of two users are kept.
	lastMessages = 50
)

// cached answers from Redis what it can and keeps that true to what it writes. An own list is edited when its user
// follows or unfollows somebody; the list of the followed one, and the friends of both, are dropped.
type cached struct {
	*tables
	redis  *cache.Redis
	count  *cache.Cache[int64, *social.RelationStats] // without a viewer
	out    *cache.Cache[int64, *social.FollowPage]    // whom a user follows
	in     *cache.Cache[int64, *social.FollowPage]    // who follows a user
	mutual *cache.Cache[int64, *social.FollowPage]
	chat   *cache.Cache[pair, *social.ListMessagesResponse] // the last messages
	line   *cache.Cache[pair, *social.Message]              // the last message
}

var _ store = (*cached)(nil)

func newCached(t *tables, r *cache.Redis) *cached {
	follows := func(name string) *cache.Cache[int64, *social.FollowPage] {
		return cache.New(r, cache.Config[int64, *social.FollowPage]{Name: name, Key: cache.ID, New: social.NewFollowPage, TTL: ttl})
	}
	return &cached{
		tables: t,
		redis:  r,
		count:  cache.New(r, cache.Config[int64, *social.RelationStats]{Name: "s1", Key: cache.ID, New: social.NewRelationStats, TTL: ttl}),
		out:    follows("o1"),
		in:     follows("i1"),
		mutual: follows("m1"),
		chat:   cache.New(r, cache.Config[pair, *social.ListMessagesResponse]{Name: "c1", Key: pair.key, New: social.NewListMessagesResponse, TTL: ttl}),
		line:   cache.New(r, cache.Config[pair, *social.Message]{Name: "l1", Key: pair.key, New: social.NewMessage, TTL: ttl, AbsentTTL: ttl}),
	}
}

func (c *cached) follow(ctx context.Context, from, to int64) (made *social.FollowEdge, err error) {
	err = c.redis.Change(ctx, func(change *cache.Change) error {
		if made, err = c.tables.follow(ctx, from, to); err != nil {
			return err
		}
		if made == nil {
			c.nothingChanged(change, from, to)
			return nil
		}
		c.out.Edit(change, from, func(old *social.FollowPage) (*social.FollowPage, bool) {
			edges, more := cache.Insert(old.Edges, old.HasMore, edgePlace, made, firstEdges)
			return &social.FollowPage{Edges: edges, HasMore: more}, true
		})
		c.editCounts(change, from, to, 1)
		return nil
	}, c.followKeys(from, to)...)
	return made, err
}

func (c *cached) unfollow(ctx context.Context, from, to int64) (gone bool, err error) {
	err = c.redis.Change(ctx, func(change *cache.Change) error {
		if gone, err = c.tables.unfollow(ctx, from, to); err != nil {
			return err
		}
		if !gone {
			c.nothingChanged(change, from, to)
			return nil
		}
		c.out.Edit(change, from, func(old *social.FollowPage) (*social.FollowPage, bool) {
			edges := slices.DeleteFunc(slices.Clone(old.Edges), func(e *social.FollowEdge) bool { return e.UserID == to })
			return &social.FollowPage{Edges: edges, HasMore: old.HasMore}, !old.HasMore || len(edges) >= firstEdges/2
		})
		c.editCounts(change, from, to, -1)
		return nil
	}, c.followKeys(from, to)...)
	return gone, err
}

func (c *cached) followKeys(from, to int64) []string {
	return []string{c.out.Key(from), c.in.Key(to), c.mutual.Key(from), c.mutual.Key(to), c.count.Key(from), c.count.Key(to)}
}

// nothingChanged keeps all that a follow could have changed.
func (c *cached) nothingChanged(change *cache.Change, from, to int64) {
	same := func(old *social.FollowPage) (*social.FollowPage, bool) { return old, true }
	c.out.Edit(change, from, same)
	c.in.Edit(change, to, same)
	c.mutual.Edit(change, from, same)
	c.mutual.Edit(change, to, same)
	c.editCounts(change, from, to, 0)
}

func (c *cached) editCounts(change *cache.Change, from, to, n int64) {
	add := func(following, followers int64) func(old *social.RelationStats) (*social.RelationStats, bool) {
		return func(old *social.RelationStats) (*social.RelationStats, bool) {
			return &social.RelationStats{FollowingCount: old.FollowingCount + following, FollowerCount: old.FollowerCount + followers}, true
		}
	}
	c.count.Edit(change, from, add(n, 0))
	c.count.Edit(change, to, add(0, n))
}

func (c *cached) following(ctx context.Context, users []int64, p *page.Page) (map[int64]*social.FollowPage, error) {
	return cache.Pages(ctx, c.out, users, p, firstEdges, cutEdges, c.tables.following)
}

func (c *cached) followers(ctx context.Context, users []int64, p *page.Page) (map[int64]*social.FollowPage, error) {
	return cache.Pages(ctx, c.in, users, p, firstEdges, cutEdges, c.tables.followers)
}

func (c *cached) friends(ctx context.Context, userID int64, p *page.Page) (*social.FollowPage, error) {
	read := func(ctx context.Context, users []int64, p *page.Page) (map[int64]*social.FollowPage, error) {
		lists := make(map[int64]*social.FollowPage, len(users))
		for _, id := range users { // it is one
			list, err := c.tables.friends(ctx, id, p)
			if err != nil {
				return nil, err
			}
			lists[id] = list
		}
		return lists, nil
	}
	found, err := cache.Pages(ctx, c.mutual, []int64{userID}, p, firstEdges, cutEdges, read)
	return found[userID], err
}

func cutEdges(kept *social.FollowPage, p *page.Page) (*social.FollowPage, bool) {
	edges, more, ok := cache.Cut(kept.Edges, kept.HasMore, edgePlace, p)
	return &social.FollowPage{Edges: edges, HasMore: more}, ok
}

func (c *cached) stats(ctx context.Context, viewer int64, users []int64) (map[int64]*social.RelationStats, error) {
	counts, err := c.count.Get(ctx, users, func(ctx context.Context, users []int64) (map[int64]*social.RelationStats, error) {
		return c.tables.stats(ctx, 0, users)
	})
	if err != nil || viewer == 0 || len(users) == 0 {
		return counts, err
	}
	first := &page.Page{Limit: firstEdges}
	lists, err := c.following(ctx, []int64{viewer}, first)
	if err != nil {
		return nil, err
	}
	follows := make(map[int64]bool, len(lists[viewer].Edges))
	for _, e := range lists[viewer].Edges {
		follows[e.UserID] = true
	}
	stats := make(map[int64]*social.RelationStats, len(counts))
	for id, count := range counts {
		if !follows[id] && lists[viewer].HasMore { // beyond what is kept
			return c.tables.stats(ctx, viewer, users)
		}
		seen := *count
		seen.FollowedByViewer = follows[id]
		stats[id] = &seen
	}
	return stats, nil
}

func (c *cached) send(ctx context.Context, m *message) error {
	both := pairOf(m.FromID, m.ToID)
	return c.redis.Change(ctx, func(change *cache.Change) error {
		if err := c.tables.send(ctx, m); err != nil {
			return err
		}
		sent := m.wire()
		c.chat.Edit(change, both, func(old *social.ListMessagesResponse) (*social.ListMessagesResponse, bool) {
			messages := append(slices.Clone(old.Messages), sent)
			more := old.HasMore || len(messages) > lastMessages
			return &social.ListMessagesResponse{Messages: messages[max(0, len(messages)-lastMessages):], HasMore: more}, true
		})
		c.line.Edit(change, both, func(*social.Message) (*social.Message, bool) { return sent, true })
		return nil
	}, c.chat.Key(both), c.line.Key(both))
}

// last returns the last messages of two users, oldest first, and whether there are earlier ones.
func (c *cached) last(ctx context.Context, both pair) (*social.ListMessagesResponse, error) {
	last, _, err := c.chat.One(ctx, both, func(ctx context.Context) (*social.ListMessagesResponse, bool, error) {
		found, err := c.tables.messages(ctx, both.low, both.high, lastMessages, nil)
		return found, true, err
	})
	return last, err
}

func (c *cached) messages(ctx context.Context, a, b int64, limit int, before *page.Cursor) (*social.ListMessagesResponse, error) {
	both := pairOf(a, b)
	var last *social.ListMessagesResponse
	if before != nil {
		last = c.chat.Peek(ctx, both)[both]
	} else {
		var err error
		if last, err = c.last(ctx, both); err != nil {
			return nil, err
		}
	}
	if last != nil {
		newest := slices.Clone(last.Messages)
		slices.Reverse(newest)
		place := func(m *social.Message) (createdAt, id int64) { return m.CreatedAt, m.ID }
		if found, more, ok := cache.Cut(newest, last.HasMore, place, &page.Page{Limit: int32(limit), After: before}); ok {
			found = slices.Clone(found)
			slices.Reverse(found)
			return &social.ListMessagesResponse{Messages: found, HasMore: more}, nil
		}
	}
	return c.tables.messages(ctx, a, b, limit, before)
}

func (c *cached) received(ctx context.Context, userID, peer int64, limit int, after int64) (*social.ListMessagesResponse, error) {
	last, err := c.last(ctx, pairOf(userID, peer))
	if err != nil {
		return nil, err
	}
	if last.HasMore && (len(last.Messages) == 0 || last.Messages[0].CreatedAt > after) { // it does not reach back that far
		return c.tables.received(ctx, userID, peer, limit, after)
	}
	found := []*social.Message{}
	for _, m := range last.Messages {
		if m.FromUserID == peer && m.CreatedAt > after {
			found = append(found, m)
		}
	}
	return &social.ListMessagesResponse{Messages: found[:min(limit, len(found))], HasMore: len(found) > limit}, nil
}

func (c *cached) latest(ctx context.Context, userID int64, peers []int64) (map[int64]*social.Message, error) {
	pairs := make([]pair, len(peers))
	for i, peer := range peers {
		pairs[i] = pairOf(userID, peer)
	}
	found, err := c.line.Get(ctx, pairs, func(ctx context.Context, pairs []pair) (map[pair]*social.Message, error) {
		missing := make([]int64, len(pairs))
		for i, both := range pairs {
			missing[i] = both.low + both.high - userID
		}
		messages, err := c.tables.latest(ctx, userID, missing)
		lines := make(map[pair]*social.Message, len(messages))
		for peer, m := range messages {
			lines[pairOf(userID, peer)] = m
		}
		return lines, err
	})
	latest := make(map[int64]*social.Message, len(found))
	for both, m := range found {
		latest[both.low+both.high-userID] = m
	}
	return latest, err
}

func (c *cached) purgeUser(ctx context.Context, id int64) error {
	return c.purge(ctx, id, func(write func(others func(...int64)) error) error {
		return c.redis.Change(ctx, func(change *cache.Change) error {
			return write(func(others ...int64) {
				var keys []string
				for _, other := range others {
					if other == id {
						continue
					}
					both := pairOf(id, other)
					keys = append(keys, c.out.Key(other), c.in.Key(other), c.mutual.Key(other), c.count.Key(other), c.chat.Key(both), c.line.Key(both))
				}
				change.Also(ctx, keys...)
			})
		}, c.out.Key(id), c.in.Key(id), c.mutual.Key(id), c.count.Key(id))
	})
}

func edgePlace(e *social.FollowEdge) (createdAt, id int64) { return e.CreatedAt, e.ID }

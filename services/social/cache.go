package social

import (
	"context"
	"slices"

	"minidouyin/idl/kitex_gen/page"
	"minidouyin/idl/kitex_gen/social"
	"minidouyin/services/internal/cache"
)

const (
	// firstEdges is how many follows of a list are kept.
	firstEdges = 1000
	// lastMessages is how many messages of two users are kept.
	lastMessages = 50
)

// cached caches what tables reads, and invalidates it when tables writes.
type cached struct {
	*tables
	cache  cache.Store
	count  *cache.Cache[int64, *social.RelationStats] // without a viewer
	out    *cache.Cache[int64, *social.FollowPage]    // whom a user follows
	in     *cache.Cache[int64, *social.FollowPage]    // who follows a user
	mutual *cache.Cache[int64, *social.FollowPage]
	chat   *cache.Cache[pair, *social.ListMessagesResponse] // the last messages
	line   *cache.Cache[pair, *social.Message]              // the last message
}

var _ store = (*cached)(nil)

func newCached(t *tables, s cache.Store) *cached {
	follows := func(name string) *cache.Cache[int64, *social.FollowPage] {
		return cache.New(s, cache.Config[int64, *social.FollowPage]{
			Name: name, Key: cache.ID, New: social.NewFollowPage, TTL: cache.MaxTTL})
	}
	return &cached{
		tables: t,
		cache:  s,
		count: cache.New(s, cache.Config[int64, *social.RelationStats]{
			Name: "social:s2", Key: cache.ID, New: social.NewRelationStats, TTL: cache.MaxTTL}),
		out:    follows("social:o2"),
		in:     follows("social:i2"),
		mutual: follows("social:m2"),
		chat: cache.New(s, cache.Config[pair, *social.ListMessagesResponse]{
			Name: "social:c2", Key: pair.key, New: social.NewListMessagesResponse, TTL: cache.MaxTTL}),
		line: cache.New(s, cache.Config[pair, *social.Message]{
			Name: "social:l2", Key: pair.key, New: social.NewMessage, TTL: cache.MaxTTL, AbsentTTL: cache.MaxTTL}),
	}
}

func (c *cached) follow(ctx context.Context, from, to int64) error {
	return cache.Change(ctx, c.cache, func(cache.Also) error { return c.tables.follow(ctx, from, to) }, c.followKeys(from, to)...)
}

func (c *cached) unfollow(ctx context.Context, from, to int64) error {
	return cache.Change(ctx, c.cache, func(cache.Also) error { return c.tables.unfollow(ctx, from, to) }, c.followKeys(from, to)...)
}

func (c *cached) followKeys(from, to int64) []string {
	return []string{c.out.Key(from), c.in.Key(to), c.mutual.Key(from), c.mutual.Key(to), c.count.Key(from), c.count.Key(to)}
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

func cutEdges(prefix *social.FollowPage, p *page.Page) (*social.FollowPage, bool) {
	place := func(e *social.FollowEdge) (createdAt, id int64) { return e.CreatedAt, e.ID }
	edges, more, ok := cache.Cut(prefix.Edges, prefix.HasMore, place, p)
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
	return cache.Change(ctx, c.cache, func(cache.Also) error { return c.tables.send(ctx, m) }, c.chat.Key(both), c.line.Key(both))
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
		return cache.Change(ctx, c.cache, func(also cache.Also) error {
			return write(func(others ...int64) {
				for _, other := range others {
					both := pairOf(id, other)
					also(c.out.Key(other), c.in.Key(other), c.mutual.Key(other), c.count.Key(other), c.chat.Key(both), c.line.Key(both))
				}
			})
		}, c.out.Key(id), c.in.Key(id), c.mutual.Key(id), c.count.Key(id))
	})
}

//go:build unix

package redistest

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// IgnoreDeadlines makes an unused client wait for each reply, whatever the deadlines of contexts. Otherwise a slow
// Redis on a busy machine counts as unavailable.
func IgnoreDeadlines(client redis.UniversalClient) {
	client.AddHook(unbounded{})
	switch c := client.(type) {
	case *redis.Client:
		c.Options().ReadTimeout, c.Options().WriteTimeout = time.Minute, time.Minute
	case *redis.ClusterClient:
		c.Options().ReadTimeout, c.Options().WriteTimeout = time.Minute, time.Minute
	}
}

type unbounded struct{}

var _ redis.Hook = unbounded{}

func (unbounded) DialHook(next redis.DialHook) redis.DialHook { return next }

func (unbounded) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { return next(context.WithoutCancel(ctx), cmd) }
}

func (unbounded) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { return next(context.WithoutCancel(ctx), cmds) }
}

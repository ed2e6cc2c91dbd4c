package main

import (
	"context"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"strings"

	"github.com/cloudwego/kitex/pkg/klog"
	"github.com/redis/go-redis/v9"

	"minidouyin/bff/middleware"
)

// maxLogValue is the longest message or value of a log line, in bytes: it may hold what a client or a program has sent.
const maxLogValue = 3 << 10

func newLogger(w io.Writer, level slog.Level, format string) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: cutValue}
	var lines slog.Handler = slog.NewTextHandler(w, options)
	if format == "json" {
		lines = slog.NewJSONHandler(w, options)
	}
	log := slog.New(middleware.WithRequestID(lines))
	// Kitex repeats failed calls, which the services log in their own form.
	klog.SetOutput(slog.NewLogLogger(log.Handler(), slog.LevelDebug).Writer())
	redis.SetLogger(redisLog{log})
	// Some libraries log a panic that they have recovered.
	stdlog.SetFlags(0)
	stdlog.SetOutput(slog.NewLogLogger(log.Handler(), slog.LevelError).Writer())
	return log
}

// cutValue shortens a value that is too long for the log.
func cutValue(_ []string, a slog.Attr) slog.Attr {
	if kind := a.Value.Kind(); kind != slog.KindString && kind != slog.KindAny {
		return a
	}
	text := ""
	switch value := a.Value.Any().(type) {
	case string:
		text = value
	case error:
		text = value.Error()
	case fmt.Stringer:
		text = value.String()
	}
	if len(text) > maxLogValue {
		a.Value = slog.StringValue(strings.ToValidUTF8(text[:maxLogValue], "") + "…")
	}
	return a
}

// redisLog takes the lines of the Redis client, which concern outages that the callers log themselves.
type redisLog struct{ log *slog.Logger }

// Printf writes a line at the level debug.
func (l redisLog) Printf(ctx context.Context, format string, values ...any) {
	if l.log.Enabled(ctx, slog.LevelDebug) {
		l.log.DebugContext(ctx, fmt.Sprintf(format, values...), "from", "redis client")
	}
}

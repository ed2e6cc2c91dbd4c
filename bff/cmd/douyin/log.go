package main

import (
	"context"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"strconv"
	"unicode/utf8"

	"github.com/cloudwego/kitex/pkg/klog"
	"github.com/redis/go-redis/v9"

	"minidouyin/bff/middleware"
)

// maxLogText is the longest message or value of a log line, in bytes as it is written: no line has more than 4 KB.
const maxLogText = 800

func newLogger(w io.Writer, level slog.Level, format string) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: shorten}
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

// shorten cuts a value of a log line: much of what is logged comes from clients and child processes.
func shorten(_ []string, a slog.Attr) slog.Attr {
	if kind := a.Value.Kind(); kind != slog.KindString && kind != slog.KindAny {
		return a
	}
	text, size := a.Value.String(), 0
	for i, r := range text {
		switch {
		case r == utf8.RuneError || !strconv.IsPrint(r):
			size += len(`\U00000000`)
		case r == '"' || r == '\\':
			size += 2
		default:
			size += utf8.RuneLen(r)
		}
		if size > maxLogText {
			return slog.String(a.Key, text[:i]+"…")
		}
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

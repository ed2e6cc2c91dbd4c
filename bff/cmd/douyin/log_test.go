package main

import (
	"errors"
	"fmt"
	stdlog "log"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// No value makes a log line long, whatever its type and wherever it comes from.
func TestLogLinesAreShort(t *testing.T) {
	long := strings.Repeat("é", 100_000)
	for _, format := range []string{"text", "json"} {
		for name, write := range map[string]func(*slog.Logger){
			"message":          func(log *slog.Logger) { log.Info(long) },
			"string":           func(log *slog.Logger) { log.Info("a", "b", long) },
			"error":            func(log *slog.Logger) { log.Info("a", "b", fmt.Errorf("c: %w", errors.New(long))) },
			"stringer":         func(log *slog.Logger) { log.Info("a", "b", stringer(long)) },
			"in a group":       func(log *slog.Logger) { log.WithGroup("g").With("b", long).Info("a") },
			"standard library": func(*slog.Logger) { stdlog.Print(long) },
		} {
			t.Run(format+"/"+name, func(t *testing.T) {
				var lines strings.Builder
				write(newLogger(&lines, slog.LevelInfo, format))
				require.Contains(t, lines.String(), "éé")
				require.Contains(t, lines.String(), "…")
				require.Less(t, lines.Len(), 4096)
			})
		}
		var lines strings.Builder
		newLogger(&lines, slog.LevelInfo, format).Info("a", "addr", netip.MustParseAddr("127.0.0.1"), "n", 7, "err", errors.New("short"))
		for _, part := range []string{"127.0.0.1", "7", "short"} {
			require.Contains(t, lines.String(), part)
		}
	}
}

type stringer string

func (s stringer) String() string { return string(s) }

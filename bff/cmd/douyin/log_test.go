package main

import (
	"bytes"
	"errors"
	stdlog "log"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// No line of the log is long, whatever is written of texts from outside.
func TestLogLines(t *testing.T) {
	for name, text := range map[string]string{
		"letters": strings.Repeat("a", 1<<20), "quotes": strings.Repeat(`"\`, 1<<19), "zeros": strings.Repeat("\x00", 1<<20),
		"not UTF-8": strings.Repeat("\xff", 1<<20), "wide": strings.Repeat("\U000e0001", 1<<18), "Chinese": strings.Repeat("长", 1<<18),
	} {
		for _, format := range []string{"text", "json"} {
			var lines bytes.Buffer
			log := newLogger(&lines, slog.LevelInfo, format)
			log.Info(text, "path", text, "error", errors.New(text))
			assert.Less(t, lines.Len(), 4<<10, "%s, %s", name, format)
			assert.Equal(t, 1, strings.Count(lines.String(), "\n"), "%s, %s", name, format)
			lines.Reset()
			stdlog.Print(text)
			assert.Contains(t, lines.String(), "ERROR")
			assert.Less(t, lines.Len(), 4<<10, "the standard library's log, %s, %s", name, format)
		}
	}
	var lines bytes.Buffer
	newLogger(&lines, slog.LevelInfo, "json").Info("request", "path", "/长\x00", "status", 200, "error", errors.New("none"))
	assert.Contains(t, lines.String(), `"msg":"request","path":"/长\u0000","status":200,"error":"none"`)
}

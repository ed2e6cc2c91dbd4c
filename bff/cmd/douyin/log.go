package main

import (
	"log/slog"
	"strconv"
	"unicode/utf8"
)

const maxLogText = 800 // bytes of one value as it is written, so that no line has more than 4 KB

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

package media

import (
	"fmt"
	"strings"
	"testing"
)

// Every title gives another placeholder: also long and Chinese titles, and characters that are not in the font.
func TestPlaceholder(t *testing.T) {
	seen := map[string]string{}
	for _, title := range []string{"", "今天的晚霞", "今天的晚霞。", "臺灣繁體", "Hello, world", strings.Repeat("长", 50), strings.Repeat("w", 50), "🎉", "\x00\xff"} {
		content, err := drawPlaceholder(title)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[string(content)]; ok {
			t.Errorf("%q and %q look the same", title, other)
		}
		seen[string(content)] = title
	}
	for title, want := range map[string]int{"": 0, "今天": 1, "one two": 1, strings.Repeat("长", 50): 7, "🎉": 0} {
		if got := wrap(title, 100<<6); len(got) != want {
			t.Errorf("%q has the lines %s, want %d", title, fmt.Sprintf("%q", got), want)
		}
	}
}

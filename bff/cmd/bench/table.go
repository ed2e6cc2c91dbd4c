//go:build unix

package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// markdown returns the table of what was measured, readable as it is. CPU times are divided by that of the reference's
// feed, where it was measured.
func markdown(all []measurement) string {
	reference := 0.
	for _, m := range all {
		if m.target == "reference" && strings.HasPrefix(m.row, "feed") {
			reference = m.cpu()
		}
	}
	var text strings.Builder
	columns := tabwriter.NewWriter(&text, 0, 0, 1, ' ', 0)
	write := func(cells ...string) { fmt.Fprintln(columns, "| "+strings.Join(cells, "\t| ")+"\t|") }
	write("target", "row", "requests/s", "p50 ms", "p99 ms", "CPU µs", "÷ reference", "KB allocated", "CPU µs (KB) by process", "noise")
	write(strings.Split(strings.Repeat("--- ", 9)+"---", " ")...)
	for _, m := range all {
		if len(m.uses) == 0 {
			write(m.target, m.row, "–", "–", "–", "–", "–", "–", "–", m.notes)
			continue
		}
		ratio, processes := "–", []string{}
		if reference > 0 {
			ratio = fmt.Sprintf("%.2f", m.cpu()/reference)
		}
		for _, u := range m.uses {
			process := u.process + " " + thousands(u.cpu.Seconds()*1e6)
			if u.bytes > 0 {
				process += fmt.Sprintf(" (%.1f)", u.bytes/1000)
			}
			processes = append(processes, process)
		}
		write(m.target, m.row, thousands(m.perSecond), millis(m.p50), millis(m.p99), thousands(m.cpu()*1e6), ratio,
			fmt.Sprintf("%.1f", total(m.uses).bytes/1000), strings.Join(processes, " · "), m.notes)
	}
	_ = columns.Flush() // to memory
	return text.String()
}

func millis(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()*1000) }

// thousands returns a whole number with commas.
func thousands(f float64) string {
	text := fmt.Sprintf("%.0f", f)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// machine describes when and where the numbers were measured.
func machine() string {
	model := runtime.GOARCH
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, found := strings.Cut(string(text), "model name"); found {
			line, _, _ := strings.Cut(rest, "\n")
			model = strings.Trim(line, "\t :")
		}
	}
	return fmt.Sprintf("%s, %d cores of %s, %s", time.Now().Format(time.DateOnly), runtime.NumCPU(), model, runtime.Version())
}

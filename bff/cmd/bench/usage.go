//go:build unix

package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const machineStat = "/proc/stat"

// usage is what a process has used, or uses for one request.
type usage struct {
	process string
	cpu     time.Duration
	bytes   float64 // that its Go runtime has allocated
}

func total(all []usage) (sum usage) {
	for _, u := range all {
		sum.cpu += u.cpu
		sum.bytes += u.bytes
	}
	return sum
}

// usageOf returns what each program has used since it started.
func usageOf(programs []*program) (all []usage, err error) {
	for _, p := range programs {
		u := usage{process: p.name}
		if u.cpu, err = cpuTime(fmt.Sprintf("/proc/%d/stat", p.running.PID()), 11, 12); err != nil { // utime, stime
			return nil, err
		}
		if p.metrics != "" {
			if u.bytes, err = allocated(p.metrics); err != nil {
				return nil, err
			}
		}
		all = append(all, u)
	}
	return all, nil
}

// busy returns the CPU time that the machine has spent on processes, and that others took from it.
func busy() time.Duration {
	sum, _ := cpuTime(machineStat, 1, 2, 3, 8) // user, nice, system, steal; which Linux has
	return sum
}

// cpuTime returns the sum of some fields of the first line of a file of Linux, in hundredths of a second on all
// machines. They count from 0, behind the name in parentheses if there is one, which may hold anything.
func cpuTime(path string, fields ...int) (sum time.Duration, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')')+1:]), "\n")
	values := strings.Fields(line)
	for _, i := range fields {
		if i >= len(values) {
			return 0, fmt.Errorf("%s: too few fields: %q", path, line)
		}
		n, err := strconv.ParseInt(values[i], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", path, err)
		}
		sum += time.Duration(n) * 10 * time.Millisecond
	}
	return sum, nil
}

// allocated returns how many bytes the Go runtime of a process has allocated, from its metrics.
func allocated(addr string) (float64, error) {
	answer, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if value, found := strings.CutPrefix(lines.Text(), "go_memstats_alloc_bytes_total "); found {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("no allocated bytes in the metrics of %s: %w", addr, lines.Err())
}

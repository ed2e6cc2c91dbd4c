package media

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
)

const (
	childMemory   = 192 << 20 // bytes of a child process; the first frame of 4K HEVC with 10 bits needs 146 MiB
	maxComplaints = 500       // bytes of a child's text that are kept: an escaped log line stays below 4 KB
)

// limitMemory is a shell script that runs a program with limits that it cannot raise. The program starts with them, and
// its arguments are never parsed. Stacks are small because those of threads count as data.
const limitMemory = `ulimit -s 1024 && ulimit -d "$1" && shift && exec "$@"`

// command returns the command that runs a program with an empty environment. On Linux it may have no more than memory
// bytes of data (RLIMIT_DATA: heap, private writable mappings and stacks); elsewhere there is no limit.
func command(ctx context.Context, memory int64, program string, args ...string) *exec.Cmd {
	if runtime.GOOS == "linux" {
		args = append([]string{"-c", limitMemory, "sh", strconv.FormatInt(memory>>10, 10), program}, args...)
		program = "/bin/sh"
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = []string{}
	cmd.WaitDelay = time.Second
	return cmd
}

// run runs a program and returns what it writes, which must not be more than limit bytes. The program is killed when
// ctx ends. The caller has taken the program's memory from the budget.
func (m *Media) run(ctx context.Context, limit int, program string, args ...string) ([]byte, error) {
	cmd := command(ctx, m.childMemory(), program, args...)
	out, complaints := bounded{limit: limit}, bounded{limit: maxComplaints}
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		text := strings.TrimSpace(strings.ToValidUTF8(string(complaints.kept), "?"))
		return nil, fmt.Errorf("run %s: %w: %s", program, err, text)
	}
	if out.over {
		return nil, fmt.Errorf("run %s: it wrote more than %d bytes", program, limit)
	}
	return out.kept, nil
}

// childMemory is the memory limit of a child process in bytes.
func (m *Media) childMemory() int64 { return min(childMemory, m.memory.size) }

// bounded keeps the first bytes written to it. It has no method but Write: io.Copy would prefer ReadFrom.
type bounded struct {
	kept  []byte
	limit int
	over  bool
}

func (b *bounded) Write(p []byte) (int, error) {
	keep := p[:min(len(p), b.limit-len(b.kept))]
	b.over = b.over || len(keep) < len(p)
	b.kept = append(b.kept, keep...)
	return len(p), nil
}

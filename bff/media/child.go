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
	childMemory = 192 << 20 // limit of a child process in bytes; the first frame of 4K HEVC with 10 bits needs 146 MiB
	maxStderr   = 500       // bytes of an error text; escaped, a log line stays below 4 KB
)

// limitMemory is a shell script. Its first argument is the memory limit in KiB, the others are the command, which it
// runs as they are. The stack limit is small because the stacks of threads count as data.
const limitMemory = `ulimit -s 1024 && ulimit -d "$1" && shift && exec "$@"`

// command returns a command with an empty environment. On Linux, its data (RLIMIT_DATA: heap, private writable mappings
// and stacks) is limited to memory bytes.
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

// run runs a program and returns its output, at most limit bytes. The program is killed when ctx ends. The caller has
// acquired childMemory from the budget.
func (m *Media) run(ctx context.Context, limit int, program string, args ...string) ([]byte, error) {
	cmd := command(ctx, m.childMemory(), program, args...)
	stdout, stderr := limitedBuffer{limit: limit}, limitedBuffer{limit: maxStderr}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		text := strings.TrimSpace(strings.ToValidUTF8(string(stderr.content), "?"))
		return nil, fmt.Errorf("run %s: %w: %s", program, err, text)
	}
	if stdout.exceeded {
		return nil, fmt.Errorf("run %s: more than %d bytes of output", program, limit)
	}
	return stdout.content, nil
}

// childMemory returns the memory limit of a child process in bytes.
func (m *Media) childMemory() int64 { return min(childMemory, m.memory.size) }

// limitedBuffer keeps the first limit bytes written to it. It has no ReadFrom, which io.Copy would prefer to Write.
type limitedBuffer struct {
	content  []byte
	limit    int
	exceeded bool
}

// Write never fails.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	kept := p[:min(len(p), b.limit-len(b.content))]
	b.exceeded = b.exceeded || len(kept) < len(p)
	b.content = append(b.content, kept...)
	return len(p), nil
}

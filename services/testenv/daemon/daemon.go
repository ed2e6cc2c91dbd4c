// Package daemon runs the real servers of tests and of the local cluster: databases, Redis, etcd, proxies.
//
// A daemon ends when the process that started it ends, however that ends.
package daemon

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// folders are searched after PATH: Debian keeps servers out of the PATH of users, and Homebrew may not link them.
var folders = []string{
	"/usr/sbin", "/usr/libexec", "/usr/local/bin", "/usr/local/sbin", "/usr/local/mysql/bin", "/usr/local/mariadb/bin",
	"/opt/homebrew/bin", "/opt/homebrew/opt/mariadb/bin", "/opt/homebrew/opt/mysql/bin",
	"/usr/local/opt/mariadb/bin", "/usr/local/opt/mysql/bin", "/usr/bin",
}

// Find returns the path of the first program that is installed, "" for none.
func Find(names ...string) string {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
		for _, folder := range folders {
			if path, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
				return path
			}
		}
	}
	return ""
}

// watched runs a program, prints its process id, and kills it when standard input is closed, which happens when the
// process at its other end is gone. At the end it removes the folder, if there is one.
const watched = `log=$1 folder=$2; shift 2
exec 3<&0
"$@" </dev/null >>"$log" 2>&1 &
server=$!
echo $server
exec >/dev/null 2>&1
(cat <&3; kill -9 $server) &
wait $server
status=$?
[ -z "$folder" ] || rm -rf "$folder"
exit $status`

// Command is a program to run.
type Command struct {
	Path string   // of the program
	Args []string // without the name of the program
	Env  []string // added to the environment of this process
	Log  string   // file to which the output is appended
	// Temporary, unless "", is a folder that is removed when the daemon ends.
	Temporary string
}

// Daemon is a running program.
type Daemon struct {
	pid     int
	name    string
	log     string
	pipe    interface{ Close() error }
	exited  chan struct{}
	exitErr error
}

// Start starts the program. The caller ends it with Stop or Kill.
func Start(c Command) (*Daemon, error) {
	cmd := exec.Command("sh", append([]string{"-c", watched, "sh", c.Log, c.Temporary, c.Path}, c.Args...)...)
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C must reach only the owner
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Path, err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Path, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Path, err)
	}
	d := &Daemon{name: filepath.Base(c.Path), log: c.Log, pipe: pipe, exited: make(chan struct{})}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err == nil {
		d.pid, err = strconv.Atoi(strings.TrimSpace(line))
	}
	go func() {
		d.exitErr = cmd.Wait()
		close(d.exited)
	}()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", c.Path, err), d.Kill())
	}
	return d, nil
}

// PID returns the process id of the program.
func (d *Daemon) PID() int { return d.pid }

// Exited is closed when the program has ended.
func (d *Daemon) Exited() <-chan struct{} { return d.exited }

// Signal sends a signal to the program.
func (d *Daemon) Signal(signal syscall.Signal) error { return syscall.Kill(d.pid, signal) }

// Stop sends SIGTERM, waits for the end, and kills the program when the context ends first. It returns an error if the
// program failed; an end by SIGTERM is no failure.
func (d *Daemon) Stop(ctx context.Context) error {
	if err := d.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return errors.Join(err, d.Kill())
	}
	select {
	case <-d.exited:
		const terminated = 128 + int(syscall.SIGTERM) // exit code in a shell
		if failed, ok := errors.AsType[*exec.ExitError](d.exitErr); ok && failed.ExitCode() == terminated {
			return nil
		}
		return d.end()
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("%s does not end: %w", d.name, ctx.Err()), d.Kill())
	}
}

// Kill kills the program with SIGKILL, like a power cut, and waits until it is gone.
func (d *Daemon) Kill() error {
	err := d.pipe.Close()
	<-d.exited
	if errors.Is(err, os.ErrClosed) { // it has ended already
		return nil
	}
	return err
}

// Wait calls ready until it returns nil. It returns an error, with the end of the program's output, if the program or
// the context ends first.
func (d *Daemon) Wait(ctx context.Context, ready func(ctx context.Context) error) error {
	for {
		try, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := ready(try)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-d.exited:
			return fmt.Errorf("%s ended: %w", d.name, d.end())
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w\n%s", d.name, err, d.tail())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// end returns the error of an ended program, with the end of its output, or nil for success.
func (d *Daemon) end() error {
	<-d.exited
	if d.exitErr == nil {
		return nil
	}
	return fmt.Errorf("%w\n%s", d.exitErr, d.tail())
}

func (d *Daemon) tail() string {
	const most = 4 << 10
	text, err := os.ReadFile(d.log)
	if err != nil {
		return ""
	}
	return string(text[max(0, len(text)-most):])
}

//go:build unix

// Command bench measures the product, as it is built and started for its users, against the least that a server in Go
// costs: it loads a data set, sends requests with wrk, and prints one table of speed and of CPU time by process.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

type commandLine struct {
	Run       runCmd       `cmd:"" default:"withargs" help:"Measure (the default)."`
	Reference referenceCmd `cmd:"" help:"Serve the reference, which the product is compared with."`
}

type runCmd struct {
	Growth   []int    `placeholder:"VIDEOS,..." help:"Measure pages of the feed among so many videos, 1000 or more, in place of all requests among 1,000."`
	Targets  []string `default:"one,four" enum:"one,four" help:"What to measure: one, the single process on SQLite; four, the four processes on MariaDB and Redis."`
	Rows     []string `sep:";" placeholder:"TEXT;..." help:"Measure only the rows whose names hold one of these."`
	Runs     int      `default:"3" help:"Runs of each row; the median counts."`
	Seconds  int      `default:"6" help:"How long a run takes."`
	Markdown string   `placeholder:"FILE" help:"Write the table to a file as well."`
	Douyin   string   `default:"bin/douyin" help:"The product's program."`
	Data     string   `default:"./data" help:"Folder for a temporary one with all data."`
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, cancel) // a second signal ends the process at once, and what it runs ends with it
	var cli commandLine
	command := kong.Parse(&cli, kong.Name("bench"), kong.Description("Measure the product."))
	command.BindTo(ctx, (*context.Context)(nil))
	err := command.Run()
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench measures rows of targets.
type bench struct {
	*runCmd
	folder   string // for everything
	measured []measurement
}

func (b *bench) progress(line string) { fmt.Fprintln(os.Stderr, "  "+line) }

// Run measures everything and prints the table, also of what was measured before an error.
func (c *runCmd) Run(ctx context.Context) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	data, err := filepath.Abs(c.Data)
	if err = errors.Join(err, os.MkdirAll(data, 0o700)); err != nil {
		return err
	}
	b := &bench{runCmd: c}
	if b.folder, err = os.MkdirTemp(data, "bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.folder)) }()
	title := fmt.Sprintf("%s. wrk with %d threads and %d connections for %d s, median of %d.\n",
		machine(), mostThreads, defaultClients, c.Seconds, c.Runs)
	fmt.Println(title)
	if err = b.measureAll(ctx); len(b.measured) == 0 {
		return err
	}
	table := markdown(b.measured)
	fmt.Print(table)
	if c.Markdown != "" {
		err = errors.Join(err, os.WriteFile(c.Markdown, []byte(title+"\n"+table), 0o644))
	}
	if slices.ContainsFunc(b.measured, func(m measurement) bool { return m.failed }) {
		err = errors.Join(err, errors.New("some requests were not answered as they should be"))
	}
	return err
}

// check returns what is wrong or missing.
func (c *runCmd) check() error {
	if _, err := os.Stat(machineStat); err != nil {
		return fmt.Errorf("this needs Linux, which shows the CPU time of processes: %w", err)
	}
	if _, err := exec.LookPath("wrk"); err != nil {
		return errors.New("wrk is not installed (apt-get install wrk, or brew install wrk)")
	}
	if _, err := os.Stat(c.Douyin); err != nil {
		return fmt.Errorf("%w (make bin/douyin)", err)
	}
	if min(c.Runs, c.Seconds) < 1 || len(c.Growth) > 0 && slices.Min(c.Growth) < 1000 {
		return errors.New("--runs, --seconds: 1 or more; --growth: 1000 or more")
	}
	return nil
}

func (b *bench) measureAll(ctx context.Context) error {
	sizes := b.Growth
	if len(sizes) == 0 {
		sizes = []int{0}
	}
	for _, videos := range sizes {
		for _, name := range b.Targets {
			if err := b.measureTarget(ctx, name, videos); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

// measureTarget starts a target with its data and measures the rows. With a number of videos, they are those of growth.
// Without one, the reference comes before the first target, and all counts are compared with their rows at the end.
// Nothing is left running.
func (b *bench) measureTarget(ctx context.Context, name string, videos int) (err error) {
	t, err := newTarget(ctx, name, filepath.Join(b.folder, name), b.Douyin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	d := standard
	if videos > 0 {
		d = grown(videos)
		t.name += ", " + thousands(float64(videos))
	}
	b.progress(t.name + ": " + d.String())
	if err := t.fill(ctx, d, func(line string) { b.progress(t.name + ": " + line) }); err != nil {
		return err
	}
	s := site{host: t.addr}
	if videos > 0 {
		return b.measureRows(ctx, t, s.growthRows(d))
	}
	if err := s.signIn(ctx, d.users); err != nil {
		return err
	}
	if len(b.measured) == 0 {
		if err := b.measureReference(ctx, t); err != nil {
			return err
		}
	}
	if err := b.measureRows(ctx, t, s.rows(d)); err != nil {
		return err
	}
	b.progress(t.name + ": comparing all counts with their rows")
	return t.run(ctx, "reconcile", t.data)
}

// measureRows measures those of the rows that are wanted.
func (b *bench) measureRows(ctx context.Context, t *target, rows []row) error {
	for _, w := range rows {
		wanted := func(part string) bool { return strings.Contains(w.name, part) }
		if len(b.Rows) > 0 && !slices.ContainsFunc(b.Rows, wanted) {
			continue
		}
		if err := b.measure(ctx, t, w); err != nil {
			return err
		}
	}
	return nil
}

// measureReference measures the reference, which answers as t does.
func (b *bench) measureReference(ctx context.Context, t *target) (err error) {
	r, err := newReference(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	if err := start(ctx, r.product); err != nil {
		return err
	}
	rows := site{host: r.addr}.rows(standard)
	return errors.Join(b.measure(ctx, r, rows[0]), b.measure(ctx, r, rows[1])) // healthz and the visitors' feed
}

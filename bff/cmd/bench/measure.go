//go:build unix

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	mostSpread = 0.10                   // of the runs of a row, above which it is noisy
	mostOthers = 0.2                    // cores that other processes use, above which a run is noisy
	idleShare  = 0.05                   // of a core, below which a target has nothing left to do
	idleWindow = 250 * time.Millisecond // in which it must be so
	idleWait   = 3 * time.Second        // for it, at most: what goes on longer is no work that was put off
)

// sample is what one run of a row gives.
type sample struct {
	perSecond float64
	p50, p99  time.Duration
	uses      []usage // for one request
	others    float64 // cores that other processes used
}

func (s sample) cpu() float64 { return total(s.uses).cpu.Seconds() }

// measurement is the result of a row.
type measurement struct {
	target, row string
	sample             // the run with the median of the CPU time
	notes       string // why it is noisy, or has no numbers
	failed      bool
}

// summarize returns the run with the median of the CPU time, and what makes the runs noisy.
func summarize(runs []sample) (median sample, notes string) {
	runs = slices.SortedFunc(slices.Values(runs), func(a, b sample) int { return cmp.Compare(a.cpu(), b.cpu()) })
	median = runs[len(runs)/2]
	var noise []string
	for name, of := range map[string]func(sample) float64{
		"CPU": sample.cpu, "requests/s": func(s sample) float64 { return s.perSecond }} {
		compare := func(a, b sample) int { return cmp.Compare(of(a), of(b)) }
		least, most := slices.MinFunc(runs, compare), slices.MaxFunc(runs, compare)
		if spread := (of(most) - of(least)) / of(median); spread > mostSpread {
			noise = append(noise, fmt.Sprintf("%s spread %.0f %%", name, spread*100))
		}
	}
	slices.Sort(noise)
	others := slices.MaxFunc(runs, func(a, b sample) int { return cmp.Compare(a.others, b.others) }).others
	if others > mostOthers {
		noise = append(noise, fmt.Sprintf("others %.1f cores", others))
	}
	return median, strings.Join(noise, ", ")
}

// measure measures a row: it checks a body, warms up, and takes the median of the runs. A row whose requests are not
// answered as they should be has no numbers and notes why.
func (b *bench) measure(ctx context.Context, t *target, w row) error {
	m := measurement{target: t.name, row: w.name}
	runs, err := b.runs(ctx, t, w)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		m.notes, m.failed = strings.Join(strings.Fields(err.Error()), " "), !errors.Is(err, errNotCompressed)
	default:
		m.sample, m.notes = summarize(runs)
	}
	b.measured = append(b.measured, m)
	return nil
}

func (b *bench) runs(ctx context.Context, t *target, w row) (runs []sample, err error) {
	body, size, err := send(ctx, t.addr, w.request(0))
	if err == nil && w.count > 0 {
		err = check(body, w.items, w.count)
	}
	var requests []string
	for run := 0; run <= b.Runs && err == nil; run++ {
		if run == 0 || w.fresh {
			requests = requests[:0]
			for i := range w.requests {
				requests = append(requests, w.request(i))
			}
		}
		if run == 0 {
			b.progress(fmt.Sprintf("%-15s  %-28s  warming up", t.name, w.name))
			_, err = load(ctx, b.folder, t.addr, requests, cmp.Or(w.clients, defaultClients), 1, w.write)
			continue
		}
		b.progress(fmt.Sprintf("%-15s  %-28s  run %d of %d", t.name, w.name, run, b.Runs))
		var s sample
		s, err = b.run(ctx, t, w, requests, size)
		runs = append(runs, s)
	}
	return runs, err
}

// run sends the requests once. What the target still does for them afterwards, such as storing likes, counts as well.
// size is that of a right answer.
func (b *bench) run(ctx context.Context, t *target, w row, requests []string, size int64) (s sample, err error) {
	programs := slices.Concat(t.product, t.stores)
	before, err := untilIdle(ctx, programs)
	if err != nil {
		return s, err
	}
	begin, machine := time.Now(), busy()
	clients := cmp.Or(w.clients, defaultClients)
	o, err := load(ctx, b.folder, t.addr, requests, clients, b.Seconds, w.write)
	if err == nil {
		err = o.check(size, clients, w.write)
	}
	if err != nil {
		return s, err
	}
	lasted := time.Since(begin)
	machine = busy() - machine
	sent, err := usageOf(programs)
	if err != nil {
		return s, err
	}
	s.others = max(0, (machine-o.cpu-total(sent).cpu+total(before).cpu).Seconds()/lasted.Seconds())
	after, err := untilIdle(ctx, programs)
	if err != nil {
		return s, err
	}
	for i, u := range after {
		u.cpu = (u.cpu - before[i].cpu) / time.Duration(o.Requests)
		u.bytes = (u.bytes - before[i].bytes) / float64(o.Requests)
		s.uses = append(s.uses, u)
	}
	s.perSecond = float64(o.Requests) * 1e6 / float64(o.Micros)
	s.p50, s.p99 = time.Duration(o.P50)*time.Microsecond, time.Duration(o.P99)*time.Microsecond
	return s, nil
}

// untilIdle waits until the programs have nothing left to do, and returns what they have used then.
func untilIdle(ctx context.Context, programs []*program) ([]usage, error) {
	last, err := usageOf(programs)
	for deadline := time.Now().Add(idleWait); err == nil; {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(idleWindow):
		}
		now, err := usageOf(programs)
		idle := float64(total(now).cpu-total(last).cpu) <= idleShare*float64(idleWindow)
		if err != nil || idle || time.Now().After(deadline) {
			return now, err
		}
		last = now
	}
	return nil, err
}

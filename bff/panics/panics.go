// Package panics turns panics into errors, so that a panic ends neither the process nor a loop of it.
package panics

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"minidouyin/graph"
)

// restartPause is the time between the panic of a loop and its next run.
const restartPause = time.Second

// KeepRunning runs a loop until it returns or ctx ends. A panic is logged and the loop restarted.
func KeepRunning(ctx context.Context, log *slog.Logger, name string, loop func(context.Context)) {
	run := Recovered(func() error {
		loop(ctx)
		return nil
	})
	for {
		err := run()
		if err == nil || ctx.Err() != nil {
			return
		}
		log.Error("loop panicked, restarting it", "loop", name, "error", err)
		select {
		case <-time.After(restartPause):
		case <-ctx.Done():
			return
		}
	}
}

// Recovered returns f with its panic as an error.
func Recovered(f func() error) func() error {
	return func() (err error) {
		defer func() {
			if cause := recover(); cause != nil {
				err = fmt.Errorf("panic: %s", graph.DescribePanic(cause))
			}
		}()
		return f()
	}
}

// Package bff is the edge: HTTP, sessions, files and the life of the process. It joins the graph, the REST routes and
// the media store behind one server; the services it only knows as clients, wherever they run.
//
// [Run] is the whole of it: it serves until its context ends, and then finishes what it has begun.
package bff

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sync/errgroup"

	"minidouyin/bff/media"
	"minidouyin/bff/panics"
	"minidouyin/bff/rpc"
)

// drainTime is how long running requests may take to finish after the process was told to stop.
const drainTime = 10 * time.Second

// Listen opens the HTTP port. The error of a port that is in use says what to do.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	var cfg net.ListenConfig
	ln, err := cfg.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%w; choose another address, such as --addr=127.0.0.1:8081", err)
	}
	return ln, nil
}

// LockData makes the data folder, for its owner alone, and locks it for one part of the product. A second process with
// the same part and folder gets an error. unlock frees it; the end of the process does too.
func LockData(dir, part string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w; choose another with --data", err)
	}
	lock := flock.New(filepath.Join(dir, part+".lock"))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w; choose another with --data", err)
	}
	if !locked {
		return nil, fmt.Errorf("another process uses the data folder %s; stop it, or choose another with --data", dir)
	}
	return func() { _ = lock.Unlock() }, nil
}

// Run serves HTTP on ln until ctx ends; then it finishes the running requests, for ten seconds at most. It closes ln.
// It returns nil after an orderly end.
func Run(ctx context.Context, cfg Config, log *slog.Logger, services rpc.Services, files *media.Media, ln net.Listener) error {
	defer func() { _ = ln.Close() }()
	sessions, err := cfg.Sessions()
	if err != nil {
		return err
	}
	if cfg.sharesStore() && cfg.JWTKey == "" {
		log.Warn("tokens are signed with a key that only this data folder has: servers that share the store need the same --jwt-key")
	}
	sweeper := &sweeper{services: services, media: files, log: log, kick: make(chan struct{}, 1)}
	if cfg.SoleWriter {
		if err := sweeper.sweep(ctx, true); err != nil {
			log.Warn("some remains of the last run have to wait", "error", err)
		}
	}
	site, err := NewHandler(cfg, log, services, files, sessions, sweeper.wake)
	if err != nil {
		return err
	}
	var leaving farewell
	server := &http.Server{
		Handler:           leaving.around(site),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}

	group, running := errgroup.WithContext(ctx)
	group.Go(panics.Recovered(func() error {
		log.Info("serving", "url", "http://"+ln.Addr().String())
		if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	}))
	group.Go(panics.Recovered(func() error {
		<-running.Done()
		log.Info("stopping: finishing the running requests")
		if len(cfg.TrustedProxies) > 0 {
			leaving.say()
		}
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		ended := make(chan error, 1)
		go func() { ended <- panics.Recovered(func() error { return site.Shutdown(drain) })() }() // server.Shutdown waits for streams of events, and not for sockets
		defer func() {
			if err := <-ended; err != nil {
				log.Warn("some sockets did not end in time", "error", err)
			}
		}()
		err := server.Shutdown(drain)
		if err != nil {
			log.Warn("some requests did not finish in time", "error", err)
			err = server.Close()
		}
		if err := site.Close(drain); err != nil {
			log.Warn("some subscriptions did not end in time", "error", err)
		}
		return err
	}))
	group.Go(func() error {
		panics.KeepRunning(running, log, "sweep", sweeper.run)
		return nil
	})
	return group.Wait()
}

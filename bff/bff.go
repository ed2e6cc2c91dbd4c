// Package bff is the HTTP server in front of the services. It only wires: the graph, the REST routes, the media store
// and the web client behind one router, each from a package of its own. It knows the services as clients.
//
//	bff.go         start and orderly end of the server
//	config.go      the flags
//	server.go      the routes, and what stands behind each
//	page.go        what / and /readyz answer
//	graphmedia.go  the media store as the graph uses it
//	sweep.go       removal of what was deleted
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
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sync/errgroup"

	"minidouyin/bff/media"
	"minidouyin/bff/panics"
	"minidouyin/bff/rpc"
)

const (
	drainTime = 10 * time.Second       // for running requests after the process was told to stop
	proxyTime = 500 * time.Millisecond // for proxies to drop their connections before
)

// Listen opens the HTTP port. The error for a port that is in use says what to do.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	var cfg net.ListenConfig
	ln, err := cfg.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%w; choose another address, such as --addr=127.0.0.1:8081", err)
	}
	return ln, nil
}

// LockData creates the data folder, for its owner only, and locks it for one part of the product: a second process with
// the same part and folder gets an error. The end of the process unlocks it, too.
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

// Run serves HTTP on ln until ctx ends, then finishes the running requests within ten seconds, and closes ln. It returns
// nil after an orderly end.
func Run(ctx context.Context, cfg Config, log *slog.Logger, services rpc.Services, files *media.Media, ln net.Listener) error {
	defer func() { _ = ln.Close() }()
	sessions, err := cfg.Sessions()
	if err != nil {
		return err
	}
	if cfg.sharesStore() && cfg.JWTKey == "" {
		log.Warn("tokens are signed with a key that only this data folder has: servers that share the store need the same --jwt-key")
	}
	sweeper := &sweeper{services: services, media: files, log: log, woken: make(chan struct{}, 1)}
	if cfg.SoleWriter {
		if err := sweeper.sweep(ctx, true); err != nil {
			log.Warn("cleanup of the last run is incomplete, retrying later", "error", err)
		}
	}
	site, err := NewHandler(cfg, log, services, files, sessions, sweeper.wake)
	if err != nil {
		return err
	}
	draining := &drain{behindProxy: len(cfg.TrustedProxies) > 0}
	server := &http.Server{
		Handler:           draining.middleware(site),
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
		draining.start()
		deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		return stop(deadline, log, server, site)
	}))
	group.Go(func() error {
		panics.KeepRunning(running, log, "sweep", sweeper.run)
		return nil
	})
	return group.Wait()
}

// stop finishes the running requests, closes the sockets, and then ends the subscriptions, as far as ctx allows.
func stop(ctx context.Context, log *slog.Logger, server *http.Server, site *Site) error {
	sockets := make(chan error, 1)
	go func() { sockets <- panics.Recovered(func() error { return site.Shutdown(ctx) })() }() // server.Shutdown waits for streams of events, but not for sockets
	defer func() {
		if err := <-sockets; err != nil {
			log.Warn("some sockets did not close in time", "error", err)
		}
	}()
	err := server.Shutdown(ctx)
	if err != nil {
		log.Warn("some requests did not finish in time", "error", err)
		err = server.Close()
	}
	if err := site.Close(ctx); err != nil {
		log.Warn("some subscriptions did not end in time", "error", err)
	}
	return err
}

// drain lets proxies drop the connections that they keep open, before the server closes them: a proxy may send a
// request at that moment, which it may not repeat unless it is a read.
type drain struct {
	behindProxy bool
	started     atomic.Bool
}

// middleware answers with Connection: close during the drain.
func (d *drain) middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.started.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// start starts the drain and waits until proxies have noticed it.
func (d *drain) start() {
	if d.behindProxy {
		d.started.Store(true)
		time.Sleep(proxyTime)
	}
}

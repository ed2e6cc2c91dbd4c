package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metricsFlags are the flags of metrics.
type metricsFlags struct {
	Metrics address `placeholder:"ADDR" help:"Address to serve Prometheus metrics on, at /metrics; without it, none are served."`
}

// serve starts to serve the metrics of the process. It returns their registry and a function that stops serving. Without
// an address the registry is nil.
func (f metricsFlags) serve(ctx context.Context, log *slog.Logger) (registry *prometheus.Registry, end func(), err error) {
	if f.Metrics == "" {
		return nil, func() {}, nil
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", string(f.Metrics))
	if err != nil {
		return nil, nil, fmt.Errorf("%w; choose another address with --metrics", err)
	}
	registry = prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	routes := http.NewServeMux()
	routes.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 5 * time.Second}))
	server := &http.Server{
		Handler: routes, ReadTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	var running sync.WaitGroup
	running.Go(func() {
		if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics are not served any more", "error", err)
		}
	})
	log.Info("serving metrics", "addr", ln.Addr().String())
	return registry, func() {
		_ = server.Close() // Prometheus repeats a scrape that fails
		running.Wait()
	}, nil
}

package likelog

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	acknowledged, flushed, late, dead prometheus.Counter
	waiting, lag                      prometheus.Gauge
	batches                           prometheus.Histogram
}

// newMetrics returns the metrics, unregistered if the registry is nil.
func newMetrics(registry *prometheus.Registry) *metrics {
	with := promauto.With(nil)
	if registry != nil {
		with = promauto.With(registry)
	}
	counter := func(name, help string) prometheus.Counter {
		return with.NewCounter(prometheus.CounterOpts{Name: "douyin_likes_" + name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return with.NewGauge(prometheus.GaugeOpts{Name: "douyin_likes_" + name, Help: help})
	}
	return &metrics{
		acknowledged: counter("acknowledged_total", "Likes and unlikes that this process acknowledged."),
		flushed:      counter("flushed_total", "Entries of the log that this process stored in the database."),
		late:         counter("late_total", "Entries that Redis wrote after their deadline, which do not count."),
		dead:         counter("dead_lettered_total", "Entries that could not be stored and became dead letters."),
		waiting:      gauge("waiting_entries", "Entries of the log that are not in the database yet."),
		lag:          gauge("lag_seconds", "Age of the oldest entry of the log."),
		batches: with.NewHistogram(prometheus.HistogramOpts{Name: "douyin_likes_batch_size",
			Help: "Likes that a flusher stored in one batch.", Buckets: []float64{1, 2, 5, 10, 20, 50, 100, 200, 500}}),
	}
}

package likelog

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are the numbers of a log.
type metrics struct {
	acknowledged, flushed, late, dead prometheus.Counter
	waiting, lag                      prometheus.Gauge
	batches                           prometheus.Histogram
}

// newMetrics returns the metrics, registered unless there is no registry.
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
		acknowledged: counter("acknowledged_total", "Likes and likes taken back that this process acknowledged."),
		flushed:      counter("flushed_total", "Entries of the log that this process stored in the database."),
		late:         counter("late_total", "Entries that Redis wrote after their sender had given up, which do not count."),
		dead:         counter("dead_lettered_total", "Entries that could not be stored and went to the dead letters."),
		waiting:      gauge("waiting_entries", "Entries of the log that are not in the database yet."),
		lag:          gauge("lag_seconds", "Age of the oldest entry of the log."),
		batches: with.NewHistogram(prometheus.HistogramOpts{Name: "douyin_likes_batch_size",
			Help: "Likes that a flusher stored at once.", Buckets: []float64{1, 2, 5, 10, 20, 50, 100, 200, 500}}),
	}
}

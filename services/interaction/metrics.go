package interaction

import (
	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the numbers of the log of likes.
type metrics struct {
	acknowledged, flushed, late, dead prometheus.Counter
	waiting, lag                      prometheus.Gauge
	batches                           prometheus.Histogram
}

// newMetrics returns the metrics, registered unless there is no registry.
func newMetrics(registry *prometheus.Registry) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "douyin_likes_" + name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "douyin_likes_" + name, Help: help})
	}
	m := &metrics{
		acknowledged: counter("acknowledged_total", "Likes and likes taken back that were acknowledged by this process."),
		flushed:      counter("flushed_total", "Entries of the log that this process has carried over into the database."),
		late:         counter("late_total", "Entries that Redis wrote after their sender had given up, which do not count."),
		dead:         counter("dead_lettered_total", "Entries that could not be stored and went to the dead letters."),
		waiting:      gauge("waiting_entries", "Entries of the log that are not in the database yet."),
		lag:          gauge("lag_seconds", "Age of the oldest entry of the log."),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "douyin_likes_batch_size",
			Help: "Likes in one transaction of the flusher.", Buckets: []float64{1, 2, 5, 10, 20, 50, 100, 200, 500}}),
	}
	if registry != nil {
		registry.MustRegister(m.acknowledged, m.flushed, m.late, m.dead, m.waiting, m.lag, m.batches)
	}
	return m
}

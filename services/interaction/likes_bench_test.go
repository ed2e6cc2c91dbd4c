package interaction_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/interaction/interactionservice"
	"minidouyin/services"
	likes "minidouyin/services/interaction"
	"minidouyin/services/internal/servicetest"
	"minidouyin/services/testenv/mysqltest"
	"minidouyin/services/testenv/redistest"
)

// BenchmarkLikes compares three ways to write likes, on one MariaDB, in rounds that alternate: one transaction each,
// grouped as by --like-ack=stored, and logged in a Redis that syncs each write to disk. It prints the medians, and fails
// when grouping brings less than 4 times as many likes under an even load, or 5 times as many of one hot video.
func BenchmarkLikes(b *testing.B) {
	const rounds, clients, length = 5, 64, time.Second
	loads := []struct {
		name  string
		least float64
		next  func(n int64) (user, video int64)
	}{
		{"even", 4, func(int64) (int64, int64) { return rand.Int64N(20_000) + 1, rand.Int64N(5_000) + 1 }},
		{"hot", 5, func(n int64) (int64, int64) { return n, 1 }},
	}
	for range b.N {
		table := &strings.Builder{}
		fmt.Fprintf(table, "\n%d clients, %d rounds of %v, medians\n%-5s %-10s %12s %12s %10s %10s %8s\n", clients, rounds, length,
			"load", "written", "acked/s", "stored/s", "p50", "p99", "ratio")
		for _, load := range loads {
			alone := servicetest.Backend{DSN: mysqltest.Database(b)}
			// What is acknowledged is on disk, however it is written.
			if err := servicetest.Database(b, alone.DSN).Read(b.Context()).Exec("SET GLOBAL innodb_flush_log_at_trx_commit = 1").Error; err != nil {
				b.Fatal(err)
			}
			ways := []*way{
				{name: "each alone", service: openAlone(b, alone)},
				{name: "grouped", service: openUnwatched(b, servicetest.Backend{DSN: mysqltest.Database(b)})},
				{name: "logged", service: openUnwatched(b, servicetest.Backend{DSN: mysqltest.Database(b), LikeAck: services.AckLogged,
					Redis: servicetest.Redis(b, redistest.Start(b).URL)})},
			}
			var users atomic.Int64
			for range rounds {
				for _, w := range ways {
					w.results = append(w.results, w.load(b, clients, length, func() (int64, int64) { return load.next(users.Add(1)) }))
				}
			}
			base := median(ways[0].results)
			for _, w := range ways {
				w.checkSums(b)
				m := median(w.results)
				fmt.Fprintf(table, "%-5s %-10s %12.0f %12.0f %10v %10v %7.1fx\n", load.name, w.name, m.acknowledged, m.stored,
					m.p50.Round(10*time.Microsecond), m.p99.Round(10*time.Microsecond), m.acknowledged/base.acknowledged)
				if ratio := m.acknowledged / base.acknowledged; w.name == "grouped" && ratio < load.least {
					b.Errorf("%s load: grouping brings %.1f times as many likes, not %.0f", load.name, ratio, load.least)
				}
			}
		}
		b.Log(table)
	}
}

// way is a way to write likes.
type way struct {
	*service
	name    string
	results []result
}

// openUnwatched opens the service as it is in production: to record statements costs more than to send them.
func openUnwatched(b *testing.B, backend servicetest.Backend) *service {
	b.Helper()
	opened, err := services.Open(b.Context(), services.Interaction, services.Config{
		DSN: backend.DSN, Redis: backend.Redis, LikeAck: backend.LikeAck, Log: slog.New(slog.NewTextHandler(b.Output(), nil))})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := opened.Close(); err != nil {
			b.Error(err)
		}
	})
	return &service{interactionservice.MustNewClient(services.Interaction, servicetest.Local(b, opened.Server)), nil, backend}
}

// openAlone opens the service that writes each like in a transaction of its own.
func openAlone(b *testing.B, backend servicetest.Backend) *service {
	b.Helper()
	openUnwatched(b, backend) // creates the tables
	server := interactionservice.NewServer(likes.NewAlone(servicetest.Database(b, backend.DSN)))
	return &service{interactionservice.MustNewClient(services.Interaction, servicetest.Local(b, server)), nil, backend}
}

// result is what a round measured, in likes per second.
type result struct {
	acknowledged, stored float64
	p50, p99             time.Duration
}

// load has clients like one video after the other, and waits until the database has all.
func (w *way) load(b *testing.B, clients int, length time.Duration, next func() (user, video int64)) result {
	ctx, cancel := context.WithTimeout(b.Context(), length+30*time.Second)
	defer cancel()
	times := make([][]time.Duration, clients)
	start := time.Now()
	servicetest.AtOnce(clients, func(i int) {
		for time.Since(start) < length {
			user, video := next()
			sent := time.Now()
			if _, err := w.LikeVideo(ctx, &interaction.LikeVideoRequest{UserID: user, VideoID: video, AuthorID: video%500 + 30_000}); err != nil {
				b.Error(err)
				return
			}
			times[i] = append(times[i], time.Since(sent))
		}
	})
	took := time.Since(start)
	w.settle(b)
	all := slices.Sorted(slices.Values(slices.Concat(times...)))
	n := float64(len(all))
	return result{n / took.Seconds(), n / time.Since(start).Seconds(), all[len(all)/2], all[len(all)*99/100]}
}

// median returns the median of each number.
func median(results []result) result {
	middle := func(of func(r result) float64) float64 {
		var all []float64
		for _, r := range results {
			all = append(all, of(r))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return result{
		middle(func(r result) float64 { return r.acknowledged }), middle(func(r result) float64 { return r.stored }),
		time.Duration(middle(func(r result) float64 { return float64(r.p50) })),
		time.Duration(middle(func(r result) float64 { return float64(r.p99) })),
	}
}

// checkSums fails the benchmark unless the counts together equal the rows.
func (s *service) checkSums(b *testing.B) {
	var got struct{ Rows, Videos, Given, Received int64 }
	err := servicetest.Database(b, s.backend.DSN).Read(b.Context()).Raw(`SELECT
		(SELECT COUNT(*) FROM likes WHERE liked = 1) AS ` + "`rows`" + `, (SELECT SUM(like_count) FROM video_stats) AS videos,
		(SELECT SUM(given_count) FROM user_like_stats) AS given, (SELECT SUM(received_count) FROM user_like_stats) AS received`).Scan(&got).Error
	if err != nil || got.Videos != got.Rows || got.Given != got.Rows || got.Received != got.Rows {
		b.Errorf("the counts do not equal the rows: %+v (%v)", got, err)
	}
}

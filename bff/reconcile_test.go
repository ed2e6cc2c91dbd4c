package bff_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"minidouyin/services/testenv/daemon"
	"minidouyin/services/testenv/mysqltest"
	"minidouyin/services/testenv/redistest"
)

// reconcile runs the command and returns what it prints and its exit status.
func reconcile(t *testing.T, args ...string) (out string, status int) {
	t.Helper()
	path, err := build()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, path, append([]string{"reconcile"}, args...)...)
	text, err := command.CombinedOutput()
	if err != nil {
		require.Equal(t, 1, command.ProcessState.ExitCode(), "%v: %s", err, text)
	}
	return string(text), command.ProcessState.ExitCode()
}

// The command finds the counts that differ from their rows in the databases of all services, says so by its exit
// status, and puts them right.
func TestReconcile(t *testing.T) {
	dsn := mysqltest.Database(t)
	p := newProduct(t, "one process", dsn)
	p.day(t)
	check := func(want string, status int, args ...string) {
		t.Helper()
		out, got := reconcile(t, append([]string{"--dsn=" + dsn}, args...)...)
		require.Equal(t, status, got, out)
		require.Equal(t, want, strings.Join(strings.Fields(out), " "))
	}
	const equal = "All counts equal their rows."
	check(equal, 0) // while the product runs
	db, err := sql.Open("mysql", strings.TrimPrefix(dsn, "mysql://"))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	for _, spoil := range []string{
		"UPDATE users SET video_count = 9 WHERE name = 'ann'",
		"UPDATE video_stats SET comment_count = 7",
		"DELETE FROM relation_stats WHERE following_count = 0",
	} {
		_, err := db.ExecContext(t.Context(), spoil)
		require.NoError(t, err)
	}
	const table = "table column key stored rows users video_count 1 9 1 video_stats comment_count 1 7 1"
	out, status := reconcile(t, "--dsn="+dsn)
	require.Equal(t, 1, status, out)
	require.True(t, strings.HasPrefix(strings.Join(strings.Fields(out), " "), table), out)
	require.Contains(t, out, "douyin: counts differ from their rows; --fix puts them right\n")
	out, status = reconcile(t, "--dsn="+dsn, "--fix")
	require.Zero(t, status, out)
	require.Contains(t, out, "Put right: ")
	check(equal, 0)
	p.stop(t)

	alone := newProduct(t, "one process", "")
	alone.day(t)
	alone.stop(t)
	out, status = reconcile(t, "--data="+alone.data)
	require.Zero(t, status, out)
	require.Equal(t, equal+"\n", out)
}

// The metrics tell how many likes were acknowledged, and that as many reached the database.
func TestMetrics(t *testing.T) {
	free, err := daemon.FreeAddrs(1)
	require.NoError(t, err)
	addr := free[0]
	p := newProduct(t, "one process", mysqltest.Database(t), "--redis="+redistest.Start(t).URL, "--like-ack=logged", "--metrics="+addr)
	_, ann := p.register(t, "ann")
	video := p.publish(t, ann, "one")
	for i := range 7 {
		p.ok(t, "POST", "/douyin/favorite/action/", "token", ann, "video_id", video, "action_type", fmt.Sprint(i%2+1))
	}
	scrape := func() map[string]float64 {
		response, err := http.Get("http://" + addr + "/metrics")
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		values := map[string]float64{}
		for _, line := range regexp.MustCompile(`(?m)^(\w+) (\S+)$`).FindAllStringSubmatch(string(text), -1) {
			values[line[1]], err = strconv.ParseFloat(line[2], 64)
			require.NoError(t, err)
		}
		return values
	}
	require.Eventually(t, func() bool { return scrape()["douyin_likes_flushed_total"] == 7 }, patience, 50*time.Millisecond)
	require.Eventually(t, func() bool { return scrape()["douyin_likes_waiting_entries"] == 0 }, patience, 50*time.Millisecond)
	got := scrape()
	for name, want := range map[string]float64{
		"douyin_likes_acknowledged_total": 7, "douyin_likes_flushed_total": 7, "douyin_likes_late_total": 0,
		"douyin_likes_dead_lettered_total": 0, "douyin_likes_waiting_entries": 0, "douyin_likes_lag_seconds": 0,
	} {
		value, there := got[name]
		require.True(t, there, name)
		require.InDelta(t, want, value, 0, name)
	}
	require.Positive(t, got["douyin_likes_batch_size_count"])
	require.LessOrEqual(t, got["douyin_likes_batch_size_sum"], 7.0)
	require.Positive(t, got["go_goroutines"])
}

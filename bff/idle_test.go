//go:build unix

package bff_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// idleSockets is how many clients wait for something at the same time.
const idleSockets = 2000

// raiseFiles lets this process, and those it starts, have two thousand connections.
func raiseFiles(t *testing.T) {
	t.Helper()
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	limit.Cur = min(limit.Max, 3*idleSockets)
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
}

// One process keeps two thousand sockets with a subscription each in little memory. The clients are another process,
// or they would be counted as well.
func TestIdleSockets(t *testing.T) {
	if endpoint := os.Getenv("DOUYIN_TEST_IDLE"); endpoint != "" {
		beIdle(t, endpoint)
		return
	}
	raiseFiles(t)
	s := newSite(t)
	_, token := s.register(t, "ann")
	measure := func() (heap, stack, resident uint64) {
		debug.FreeOSMemory()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		status, err := os.ReadFile("/proc/self/statm")
		if err == nil {
			var size, pages uint64
			_, err = fmt.Sscan(string(status), &size, &pages)
			require.NoError(t, err)
			resident = pages * uint64(os.Getpagesize())
		}
		return m.HeapInuse, m.StackInuse, resident
	}
	heap, stack, resident := measure()
	goroutines := runtime.NumGoroutine()

	ctx, cancel := context.WithTimeout(t.Context(), 5*patience)
	defer cancel()
	clients := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestIdleSockets$", "-test.timeout=5m")
	clients.Env = append(os.Environ(), "DOUYIN_TEST_IDLE="+s.url+" "+token)
	clients.Stdout, clients.Stderr = os.Stderr, os.Stderr
	stop, err := clients.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, clients.Start())
	require.Eventually(t, func() bool { return s.handler.Listening() == idleSockets }, 4*patience, 20*time.Millisecond)

	each := func(now, before uint64) float64 { return float64(int64(now)-int64(before)) / idleSockets / 1024 }
	var heapNow, stackNow, residentNow uint64
	require.Eventually(t, func() bool { // the last ones are still being opened
		heapNow, stackNow, residentNow = measure()
		return each(heapNow, heap)+each(stackNow, stack) < 200
	}, patience, time.Second)
	t.Logf("each of %d sockets with a subscription: %.1f KiB of heap, %.1f KiB of stacks, %.1f KiB resident, %.1f goroutines", idleSockets,
		each(heapNow, heap), each(stackNow, stack), each(residentNow, resident), float64(runtime.NumGoroutine()-goroutines)/idleSockets)

	require.NoError(t, stop.Close())
	require.NoError(t, clients.Wait())
	s.listening(t, 0)
	require.Eventually(t, func() bool { return runtime.NumGoroutine() < goroutines+50 }, patience, 20*time.Millisecond)
}

// beIdle opens the sockets and holds them until standard input ends.
func beIdle(t *testing.T, endpointAndToken string) {
	raiseFiles(t)
	endpoint, token, _ := strings.Cut(endpointAndToken, " ")
	payload, err := json.Marshal(map[string]string{"token": token})
	require.NoError(t, err)
	for range idleSockets {
		conn, response, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(endpoint, "http")+"/graphql", &websocket.DialOptions{
			Subprotocols: []string{"graphql-transport-ws"},
		})
		require.NoError(t, err)
		if response.Body != nil {
			_ = response.Body.Close()
		}
		for _, text := range []string{`{"type":"connection_init","payload":` + string(payload) + `}`,
			`{"id":"1","type":"subscribe","payload":{"query":"subscription { messageReceived { cursor message { content } } }"}}`} {
			require.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte(text)))
		}
		go func() { // answers the server's pings until the process ends
			for {
				_, text, err := conn.Read(context.Background())
				if err != nil {
					return
				}
				if strings.Contains(string(text), `"ping"`) {
					_ = conn.Write(context.Background(), websocket.MessageText, []byte(`{"type":"pong"}`))
				}
			}
		}()
	}
	_, _ = os.Stdin.Read(make([]byte, 1)) // until it ends
}

//go:build unix

package redistest

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"minidouyin/services/testenv/daemon"
	"minidouyin/services/testenv/testserver"
)

const (
	masters = 3 // of a cluster, each with a third of the slots and without a replica
	slots   = 16384
)

// StartCluster starts an empty Redis Cluster of three nodes and stops it when the test ends. The args are those of [Start].
func StartCluster(tb testing.TB, args ...string) *Server {
	tb.Helper()
	testserver.SkipIfShort(tb)
	s := newCluster(tb, args...)
	tb.Cleanup(func() {
		for _, n := range s.nodes {
			_ = os.RemoveAll(n.folder)
		}
	})
	s.Restart(tb)
	tb.Cleanup(func() { s.Kill(tb) })
	s.join(tb)
	return s
}

// Each runs the test as sub-tests, with one server and with a cluster.
func Each(t *testing.T, test func(t *testing.T, s *Server)) {
	t.Run("one server", func(t *testing.T) { test(t, Start(t)) })
	t.Run("cluster", func(t *testing.T) { test(t, StartCluster(t)) })
}

var shared struct {
	once    sync.Once
	cluster *Server
}

// SharedCluster returns the URL of a cluster that all tests of the package use one after another, because its start takes
// seconds. It is empty at first, and ends with the process.
func SharedCluster(tb testing.TB) (url string) {
	tb.Helper()
	testserver.SkipIfShort(tb)
	shared.once.Do(func() {
		s := newCluster(tb)
		for _, n := range s.nodes {
			n.Command.Temporary = n.folder
		}
		s.Restart(tb)
		s.join(tb)
		shared.cluster = s
	})
	if shared.cluster == nil {
		tb.Fatal("the cluster did not start for an earlier test")
	}
	return shared.cluster.URL
}

// Node returns one of the three nodes of a cluster, which may be killed and restarted alone.
func (s *Server) Node(i int) *Server { return &Server{URL: s.nodes[i].url, nodes: s.nodes[i : i+1]} }

func newCluster(tb testing.TB, args ...string) *Server {
	tb.Helper()
	s := &Server{}
	var addrs []string
	for range masters {
		port := freePorts(tb)
		n := newNode(tb, append([]string{"--bind", "127.0.0.1", "--port", port, "--cluster-enabled", "yes"}, args...)...)
		n.port = port
		s.nodes, addrs = append(s.nodes, n), append(addrs, "127.0.0.1:"+port)
	}
	s.URL = "redis+cluster://" + addrs[0] + "?addr=" + strings.Join(addrs[1:], "&addr=")
	return s
}

// freePorts returns a free port whose cluster bus port, 10000 above it, is free too.
func freePorts(tb testing.TB) string {
	tb.Helper()
	for {
		addrs, err := daemon.FreeAddrs(1)
		if err != nil {
			tb.Fatal(err)
		}
		_, text, _ := net.SplitHostPort(addrs[0])
		port, _ := strconv.Atoi(text)
		bus, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+10000))
		if err == nil && bus.Close() == nil {
			return text
		}
	}
}

// join makes the nodes one cluster, and waits until each reports that the cluster is ok.
func (s *Server) join(tb testing.TB) {
	tb.Helper()
	for i, n := range s.nodes {
		n.Wait(tb, n.with(func(ctx context.Context, client *redis.Client) error {
			return client.ClusterAddSlotsRange(ctx, slots*i/masters, slots*(i+1)/masters-1).Err()
		}))
	}
	first := s.nodes[0]
	for _, n := range s.nodes[1:] {
		first.Wait(tb, first.with(func(ctx context.Context, client *redis.Client) error {
			return client.ClusterMeet(ctx, "127.0.0.1", n.port).Err()
		}))
	}
	for _, n := range s.nodes {
		n.waitForCluster(tb)
		n.joined = true
	}
}

// waitForCluster waits until the node reports that the cluster is ok. Before that, it refuses all commands.
func (n *node) waitForCluster(tb testing.TB) {
	tb.Helper()
	n.Wait(tb, n.with(func(ctx context.Context, client *redis.Client) error {
		info, err := client.ClusterInfo(ctx).Result()
		if err == nil && !strings.Contains(info, "cluster_state:ok") {
			err = fmt.Errorf("the cluster is not ok: %s", info)
		}
		return err
	}))
}

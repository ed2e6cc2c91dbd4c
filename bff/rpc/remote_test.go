package rpc_test

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudwego/kitex/pkg/transmeta"
	"github.com/cloudwego/kitex/server"
	"github.com/stretchr/testify/require"

	"minidouyin/bff/rpc"
	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/basics/basicsservice"
	"minidouyin/idl/kitex_gen/interaction/interactionservice"
	"minidouyin/idl/kitex_gen/social/socialservice"
	"minidouyin/services/testenv/daemon"
)

// instance is a service that answers two calls, with the time its context has left.
type instance struct {
	basics.BasicsService
	addr          string
	reads, writes atomic.Int64
	left          atomic.Int64 // of the last call
}

func (i *instance) BatchGetUsers(ctx context.Context, _ *basics.BatchGetUsersRequest) (*basics.BatchGetUsersResponse, error) {
	i.reads.Add(1)
	deadline, _ := ctx.Deadline()
	i.left.Store(int64(time.Until(deadline)))
	return &basics.BatchGetUsersResponse{}, nil
}

func (i *instance) DeleteUser(ctx context.Context, r *basics.DeleteUserRequest) (*basics.DeleteUserResponse, error) {
	i.writes.Add(1)
	deadline, _ := ctx.Deadline()
	i.left.Store(int64(time.Until(deadline)))
	if r.UserID < 0 {
		return nil, codes.Errorf(codes.NotFound, "no such user")
	}
	return &basics.DeleteUserResponse{}, nil
}

func startInstance(t *testing.T) *instance {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	i := &instance{addr: ln.Addr().String()}
	s := basicsservice.NewServer(i, server.WithListener(ln), server.WithMetaHandler(transmeta.ServerTTHeaderHandler),
		server.WithMetaHandler(transmeta.MetainfoServerHandler), server.WithEnableContextTimeout(true),
		server.WithExitSignal(func() <-chan error { return make(chan error) }))
	ran := make(chan error)
	go func() { ran <- s.Run() }()
	t.Cleanup(func() {
		require.NoError(t, s.Stop())
		require.NoError(t, <-ran)
	})
	return i
}

// startRaw accepts connections, counts those that send something, and treats them.
func startRaw(t *testing.T, treat func(conn net.Conn)) (addr string, requests *atomic.Int64) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	requests = &atomic.Int64{}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			group.Go(func() {
				defer conn.Close()
				if _, err := conn.Read(make([]byte, 64<<10)); err == nil {
					requests.Add(1)
					treat(conn)
				}
			})
		}
	})
	t.Cleanup(func() {
		require.NoError(t, ln.Close())
		group.Wait()
	})
	return ln.Addr().String(), requests
}

func nowhere(t *testing.T) string {
	t.Helper()
	free, err := daemon.FreeAddrs(1)
	require.NoError(t, err)
	return free[0]
}

func remote(t *testing.T, addrs ...string) basicsservice.Client {
	t.Helper()
	c, err := basicsservice.NewClient("basics", rpc.Remote(rpc.Fixed(addrs...), nil)...)
	require.NoError(t, err)
	if closer, ok := c.(io.Closer); ok {
		t.Cleanup(func() { _ = closer.Close() })
	}
	return c
}

func read(ctx context.Context, c basicsservice.Client) error {
	_, err := c.BatchGetUsers(ctx, &basics.BatchGetUsersRequest{UserIds: []int64{1}})
	return err
}

func write(ctx context.Context, c basicsservice.Client, id int64) error {
	_, err := c.DeleteUser(ctx, &basics.DeleteUserRequest{UserID: id})
	return err
}

// Methods that read are retried, others are not: the list of the product agrees with the names.
func TestReads(t *testing.T) {
	for method := range basicsservice.NewServiceInfo().Methods {
		checkRead(t, method)
	}
	for method := range interactionservice.NewServiceInfo().Methods {
		checkRead(t, method)
	}
	for method := range socialservice.NewServiceInfo().Methods {
		checkRead(t, method)
	}
	require.False(t, rpc.IsRead("BatchGetNothing"))
}

func checkRead(t *testing.T, method string) {
	named := strings.HasPrefix(method, "BatchGet") || strings.HasPrefix(method, "List") || strings.HasPrefix(method, "Verify")
	require.Equal(t, named, rpc.IsRead(method), method)
}

// The service's context ends with the caller's, or with the time-out of such a call.
func TestDeadlineTravels(t *testing.T) {
	i := startInstance(t)
	c := remote(t, i.addr)
	left := func(most time.Duration) {
		t.Helper()
		require.Positive(t, i.left.Load())
		require.LessOrEqual(t, i.left.Load(), int64(most))
	}
	ctx, cancel := context.WithTimeout(t.Context(), rpc.ReadTimeout)
	defer cancel()
	require.NoError(t, write(ctx, c, 1))
	left(rpc.ReadTimeout)
	ctx, cancel = context.WithTimeout(t.Context(), rpc.ReadTimeout/2)
	defer cancel()
	require.NoError(t, read(ctx, c))
	left(rpc.ReadTimeout / 2)
	require.NoError(t, read(t.Context(), c))
	left(rpc.ReadTimeout)
	require.NoError(t, write(t.Context(), c, 1))
	left(rpc.CallTimeout)
}

// Instances share the calls. One that refuses connections costs no call, of any kind, and nothing is done twice.
func TestInstanceRefuses(t *testing.T) {
	one, two := startInstance(t), startInstance(t)
	c := remote(t, one.addr, nowhere(t), two.addr, nowhere(t))
	const calls = 400
	for i := range calls {
		require.NoError(t, read(t.Context(), c))
		require.NoError(t, write(t.Context(), c, 1))
		require.Equal(t, codes.NotFound, codes.Of(write(t.Context(), c, -1)), "an error with a code is an answer, the %dth too", i)
	}
	require.EqualValues(t, calls, one.reads.Load()+two.reads.Load())
	require.EqualValues(t, 2*calls, one.writes.Load()+two.writes.Load())
	for _, i := range []*instance{one, two} {
		require.Greater(t, i.reads.Load(), int64(calls/10))
		require.Greater(t, i.writes.Load(), int64(calls/5))
	}
}

// When an instance drops the connection in the middle of a call, reads are answered by another one; writes, which may
// have been carried out, fail and are not sent again.
func TestInstanceHangsUp(t *testing.T) {
	well := startInstance(t)
	sick, requests := startRaw(t, func(net.Conn) {})
	c := remote(t, well.addr, sick)
	const calls = 100
	for range calls {
		require.NoError(t, read(t.Context(), c))
	}
	require.EqualValues(t, calls, well.reads.Load())
	require.Greater(t, requests.Load(), int64(10), "the sick one was asked as well")
	requests.Store(0)
	var failed int64
	for range calls {
		if err := write(t.Context(), c, 1); err != nil {
			require.Equal(t, codes.UpstreamUnavailable, codes.Of(err))
			failed++
		}
	}
	require.Equal(t, requests.Load(), failed)
	require.EqualValues(t, calls, well.writes.Load()+failed)
}

// The circuit breaker stops calls to an instance whose calls time out; another one answers the reads.
func TestInstanceHangs(t *testing.T) {
	well := startInstance(t)
	sick, requests := startRaw(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	c := remote(t, well.addr, sick)
	var group sync.WaitGroup
	for range 40 {
		group.Go(func() {
			if err := read(t.Context(), c); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	waited := requests.Load()
	require.Greater(t, waited, int64(10))
	for range 40 {
		require.NoError(t, read(t.Context(), c))
	}
	require.Less(t, requests.Load(), waited+10, "of 20, now and then one call looks whether it is well again")
}

// A service without instances is unavailable at once, and available when one is back.
func TestInstancesAway(t *testing.T) {
	i := startInstance(t)
	addr := nowhere(t)
	c := remote(t, addr, nowhere(t))
	for range 300 {
		require.Equal(t, codes.UpstreamUnavailable, codes.Of(read(t.Context(), c)))
		require.Equal(t, codes.UpstreamUnavailable, codes.Of(write(t.Context(), c, 1)))
	}
	back, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	forward(t, back, i.addr)
	require.NoError(t, read(t.Context(), c))
	require.NoError(t, write(t.Context(), c, 1))
	require.Equal(t, codes.UpstreamUnavailable, codes.Of(read(t.Context(), remote(t, "name.invalid:1"))), "a name may become known later")
}

// forward passes what ln takes on to the address.
func forward(t *testing.T, ln net.Listener, addr string) {
	var group sync.WaitGroup
	group.Go(func() {
		for {
			from, err := ln.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("tcp", addr)
			if err != nil {
				_ = from.Close()
				continue
			}
			for _, pair := range [][2]net.Conn{{from, to}, {to, from}} {
				group.Go(func() {
					_, _ = io.Copy(pair[0], pair[1])
					_ = pair[0].Close()
				})
			}
		}
	})
	t.Cleanup(func() {
		require.NoError(t, ln.Close())
	})
}

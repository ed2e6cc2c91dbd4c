//go:build unix

package discovery_test

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"minidouyin/services/discovery"
	"minidouyin/services/testenv/etcdtest"
)

func open(t *testing.T, addr string) *discovery.Directory {
	t.Helper()
	d, err := discovery.Open([]string{addr}, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func known(r *discovery.Resolver, service string) (addresses []string) {
	result, err := r.Resolve(context.Background(), service)
	if err != nil {
		return nil
	}
	for _, instance := range result.Instances {
		addresses = append(addresses, instance.Address().String())
	}
	return addresses
}

// becomes waits until the resolver has exactly these instances.
func becomes(t *testing.T, r *discovery.Resolver, service string, want ...string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !slices.Equal(known(r, service), want); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: got %v, want %v", service, known(r, service), want)
		}
	}
}

// Instances of several services come and go. Services with similar names are distinct. The last instance stays known.
func TestInstances(t *testing.T) {
	etcd := etcdtest.Start(t)
	d := open(t, etcd.Addr)
	r := open(t, etcd.Addr).Watch("basics", "social")
	if got := known(r, "basics"); got != nil {
		t.Errorf("got %v before any is there", got)
	}
	one := d.Register("basics", "10.0.0.1:1")
	two := d.Register("basics", "10.0.0.2:1")
	d.Register("basics2", "10.0.0.3:1")
	d.Register("social", "10.0.0.4:1")
	becomes(t, r, "basics", "10.0.0.1:1", "10.0.0.2:1")
	becomes(t, r, "social", "10.0.0.4:1")
	if err := one.Withdraw(t.Context()); err != nil {
		t.Error(err)
	}
	becomes(t, r, "basics", "10.0.0.2:1")
	if err := two.Withdraw(t.Context()); err != nil {
		t.Error(err)
	}
	if got := known(r, "basics"); !slices.Equal(got, []string{"10.0.0.2:1"}) {
		t.Errorf("got %v after the last was withdrawn", got)
	}
	d.Register("basics", "10.0.0.5:1")
	becomes(t, r, "basics", "10.0.0.5:1")
}

// A killed instance is gone when its lease expires.
func TestInstanceKilled(t *testing.T) {
	etcd := etcdtest.Start(t)
	killed := open(t, etcd.Addr)
	r := open(t, etcd.Addr).Watch("basics")
	open(t, etcd.Addr).Register("basics", "10.0.0.1:1")
	killed.Register("basics", "10.0.0.2:1")
	becomes(t, r, "basics", "10.0.0.1:1", "10.0.0.2:1")
	if err := killed.Close(); err != nil {
		t.Error(err)
	}
	becomes(t, r, "basics", "10.0.0.1:1")
}

// Whatever etcd loses, clients keep the known instances, and instances register again.
func TestEtcdLoses(t *testing.T) {
	for name, lose := range map[string]func(t *testing.T, etcd *etcdtest.Server){
		"it restarts": func(t *testing.T, etcd *etcdtest.Server) {
			etcd.Kill(t)
			etcd.Restart(t)
		},
		"it restarts with nothing": func(t *testing.T, etcd *etcdtest.Server) {
			etcd.Kill(t)
			etcd.Wipe(t)
			etcd.Restart(t)
		},
		"somebody deletes the entries": func(t *testing.T, etcd *etcdtest.Server) {
			client, err := clientv3.New(clientv3.Config{Endpoints: []string{etcd.Addr}, Logger: zap.NewNop()})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if gone, err := client.Delete(t.Context(), "minidouyin/", clientv3.WithPrefix()); err != nil || gone.Deleted != 1 {
				t.Fatal(gone, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			etcd := etcdtest.Start(t)
			d := open(t, etcd.Addr)
			r := open(t, etcd.Addr).Watch("basics")
			one := d.Register("basics", "10.0.0.1:1")
			becomes(t, r, "basics", "10.0.0.1:1")
			lose(t, etcd)
			d.Register("basics", "10.0.0.2:1")
			for len(known(r, "basics")) < 2 {
				if got := known(r, "basics"); len(got) == 0 {
					t.Fatal("no instance is known any more")
				}
				time.Sleep(time.Millisecond)
			}
			becomes(t, open(t, etcd.Addr).Watch("basics"), "basics", "10.0.0.1:1", "10.0.0.2:1")
			if err := one.Withdraw(t.Context()); err != nil {
				t.Error(err)
			}
			becomes(t, r, "basics", "10.0.0.2:1")
		})
	}
}

// While etcd is unavailable, clients keep the known instances, and Register and Withdraw do not block. When etcd is back,
// they take effect.
func TestEtcdAway(t *testing.T) {
	etcd := etcdtest.Start(t)
	d := open(t, etcd.Addr)
	r := d.Watch("basics")
	one := d.Register("basics", "10.0.0.1:1")
	becomes(t, r, "basics", "10.0.0.1:1")
	etcd.Kill(t)
	late := open(t, etcd.Addr)
	lateResolver := late.Watch("basics")
	late.Register("basics", "10.0.0.2:1")
	withdrawn := make(chan error)
	go func() { withdrawn <- one.Withdraw(t.Context()) }()
	select {
	case err := <-withdrawn:
		if err == nil {
			t.Error("withdrawn from an etcd that is away")
		}
	case <-time.After(time.Minute):
		t.Fatal("withdrawing hangs")
	}
	if got := known(r, "basics"); !slices.Equal(got, []string{"10.0.0.1:1"}) {
		t.Errorf("got %v", got)
	}
	if got := known(lateResolver, "basics"); got != nil {
		t.Errorf("got %v", got)
	}
	etcd.Restart(t)
	becomes(t, r, "basics", "10.0.0.2:1")
	becomes(t, lateResolver, "basics", "10.0.0.2:1")
}

// An entry has the format of registry-etcd. An invalid one is ignored.
func TestEntry(t *testing.T) {
	etcd := etcdtest.Start(t)
	d := open(t, etcd.Addr)
	r := d.Watch("basics")
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{etcd.Addr}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for key, value := range map[string]string{"basics/broken": "broken", "basics/portless": `{"network":"tcp","address":"10.0.0.9"}`} {
		if _, err := client.Put(t.Context(), "minidouyin/services/"+key, value); err != nil {
			t.Fatal(err)
		}
	}
	d.Register("basics", "cache-1.example.org:8881")
	becomes(t, r, "basics", "cache-1.example.org:8881")
	got, err := client.Get(t.Context(), "minidouyin/services/basics/cache-1.example.org:8881")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"network":"tcp","address":"cache-1.example.org:8881","weight":10,"tags":null}`
	if len(got.Kvs) != 1 || string(got.Kvs[0].Value) != want {
		t.Errorf("got %s, want %s", got.Kvs, want)
	}
}

// Other hosts can connect to the advertised address.
func TestAdvertised(t *testing.T) {
	for _, c := range []struct {
		listen, etcd, want string // "" for an error
	}{
		{"127.0.0.1:8881", "127.0.0.1:2379", "127.0.0.1:8881"},
		{"0.0.0.0:8881", "127.0.0.1:2379", "127.0.0.1:8881"},
		{"[::]:8881", "127.0.0.1:2379", "127.0.0.1:8881"},
		{"[::]:8881", "nowhere.invalid:2379", ""},
	} {
		addr, err := net.ResolveTCPAddr("tcp", c.listen)
		if err != nil {
			t.Fatal(err)
		}
		got, err := discovery.Advertised(addr, []string{c.etcd})
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%v: got %q, %v", c, got, err)
		}
	}
}

// An address is valid only if other hosts can connect to it.
func TestCheckAddress(t *testing.T) {
	for address, ok := range map[string]bool{
		"10.0.0.7:2379": true, "etcd:2379": true, "[::1]:2379": true,
		"": false, "etcd": false, ":2379": false, "0.0.0.0:2379": false, "[::]:2379": false, "etcd:0": false,
		"etcd:99999": false, "http://etcd:2379": false,
	} {
		if err := discovery.CheckAddress(address); (err == nil) != ok {
			t.Errorf("%q: got %v", address, err)
		}
	}
}

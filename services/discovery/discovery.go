// Package discovery lets services tell in etcd where they are, and lets clients find all of their instances there.
//
//	directory, err := discovery.Open([]string{"127.0.0.1:2379"}, log)
//	...
//	defer directory.Close()
//	registration := directory.Register("basics", "10.0.0.7:8881") // and Withdraw before the server stops
//	resolver := directory.Watch("basics", "social")               // for client.WithResolver
//
// Nothing here waits for etcd: while it is away, instances register again and again until they are heard, and clients
// go on with the instances they knew last.
//
// Keys and values have the form of kitex-contrib/registry-etcd, under a prefix of our own. That library itself is not
// used: it withdraws another key than it wrote when the advertised address is not the listening one, looks whether it
// is still registered only every 30 seconds and gives up after five failures, and its resolver asks etcd by polling,
// without a time limit.
package discovery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// root is the prefix of all keys: root/service/address.
const root = "minidouyin/services/"

// patience bounds one request to etcd.
const patience = 2 * time.Second

// value is what a key holds.
type value struct {
	Network string            `json:"network"`
	Address string            `json:"address"`
	Weight  int               `json:"weight"`
	Tags    map[string]string `json:"tags"`
}

func key(service, address string) string { return root + service + "/" + address }

func encode(address string) string {
	text, _ := json.Marshal(value{Network: "tcp", Address: address, Weight: 10}) // plain strings and numbers
	return string(text)
}

// Directory is the list of instances in etcd.
type Directory struct {
	client *clientv3.Client
	log    *slog.Logger
	away   atomic.Bool
	stop   context.CancelFunc
	ctx    context.Context // the life of the goroutines that run belongs to
	run    sync.WaitGroup
}

// CheckAddress returns why others cannot connect to an address, nil when they can: it needs a host and a port.
func CheckAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if n, errPort := strconv.ParseUint(port, 10, 16); err != nil || errPort != nil || n == 0 || host == "" || unspecified(host) {
		return fmt.Errorf("%q is not an address such as 10.0.0.7:2379", address)
	}
	return nil
}

func unspecified(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsUnspecified()
}

// Open returns the directory kept by the etcd at these addresses, each host:port. It does not wait for an answer. The
// caller closes it.
func Open(endpoints []string, log *slog.Logger) (*Directory, error) {
	if len(endpoints) == 0 {
		return nil, errors.New("open etcd: no address")
	}
	client, err := clientv3.New(clientv3.Config{
		Endpoints:   endpoints,
		DialTimeout: patience,
		// A connection that is cut without a word is noticed.
		DialKeepAliveTime: 5 * time.Second, DialKeepAliveTimeout: patience, PermitWithoutStream: true,
		Logger: zap.NewNop(), // what matters is logged here
	})
	if err != nil {
		return nil, fmt.Errorf("open etcd: %w", err)
	}
	d := &Directory{client: client, log: log}
	d.ctx, d.stop = context.WithCancel(context.Background())
	return d, nil
}

// Close ends the connection to etcd, and what was registered or watched through it.
func (d *Directory) Close() error {
	d.stop()
	d.run.Wait()
	return d.client.Close()
}

// heard notes whether etcd answered, and logs when that changes.
func (d *Directory) heard(err error) {
	if d.ctx.Err() != nil {
		return
	}
	if away := err != nil; d.away.Swap(away) != away {
		if away {
			d.log.Warn("etcd does not answer: the instances known last are used, and it is tried again", "error", err)
		} else {
			d.log.Info("etcd answers again")
		}
	}
}

// Advertised returns the address to register for a server that listens on addr: with a wildcard host, that of the
// interface which reaches etcd. The error says what to do.
func Advertised(addr net.Addr, endpoints []string) (string, error) {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "", fmt.Errorf("find the address to advertise: %w", err)
	}
	if host != "" && !unspecified(host) {
		return addr.String(), nil
	}
	for _, endpoint := range endpoints {
		route, err := net.Dial("udp", endpoint) // sends nothing
		if err != nil {
			continue
		}
		own, _, err := net.SplitHostPort(route.LocalAddr().String())
		_ = route.Close()
		if err == nil {
			return net.JoinHostPort(own, port), nil
		}
	}
	return "", fmt.Errorf("the server listens on all addresses, and none of this host leads to etcd; name one with --advertise=HOST:%s", port)
}

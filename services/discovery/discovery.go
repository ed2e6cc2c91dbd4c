// Package discovery registers the instances of services in etcd and resolves them for clients.
//
//	directory, err := discovery.Open([]string{"127.0.0.1:2379"}, log)
//	...
//	defer directory.Close()
//	registration := directory.Register("basics", "10.0.0.7:8881") // and Withdraw before the server stops
//	resolver := directory.Watch("basics", "social")               // for client.WithResolver
//
// Nothing here waits for etcd. While it is unavailable, instances retry their registration, and clients keep the instances
// they know.
//
// Keys and values have the format of kitex-contrib/registry-etcd, under our own prefix. That library is not used: it
// deregisters another key than it wrote if the advertised address is not the listening one, checks its registration only
// every 30 seconds, gives up after five failures, and its resolver polls etcd without a time limit.
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

// requestTimeout bounds one request to etcd.
const requestTimeout = 2 * time.Second

// value is the value of a key.
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
	down   atomic.Bool // etcd is unavailable
	stop   context.CancelFunc
	ctx    context.Context // ends with Close
	run    sync.WaitGroup
}

// CheckAddress returns an error unless the address has a host, which is not a wildcard, and a port.
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

// Open returns the directory in the etcd at these addresses, each host:port. It does not wait for etcd. The caller
// closes the directory.
func Open(endpoints []string, log *slog.Logger) (*Directory, error) {
	if len(endpoints) == 0 {
		return nil, errors.New("open etcd: no address")
	}
	client, err := clientv3.New(clientv3.Config{
		Endpoints:   endpoints,
		DialTimeout: requestTimeout,
		// Keep-alives detect a broken connection.
		DialKeepAliveTime: 5 * time.Second, DialKeepAliveTimeout: requestTimeout, PermitWithoutStream: true,
		Logger: zap.NewNop(), // report logs instead
	})
	if err != nil {
		return nil, fmt.Errorf("open etcd: %w", err)
	}
	d := &Directory{client: client, log: log}
	d.ctx, d.stop = context.WithCancel(context.Background())
	return d, nil
}

// Close closes the connection to etcd and ends registrations and watches.
func (d *Directory) Close() error {
	d.stop()
	d.run.Wait()
	return d.client.Close()
}

// report logs when etcd becomes unavailable or available again.
func (d *Directory) report(err error) {
	if d.ctx.Err() != nil {
		return
	}
	if down := err != nil; d.down.Swap(down) != down {
		if down {
			d.log.Warn("etcd unavailable, using the known instances and retrying", "error", err)
		} else {
			d.log.Info("etcd available again")
		}
	}
}

// Advertised returns the address to register for a server that listens on addr. A wildcard host is replaced by the
// host's own address on the route to etcd.
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

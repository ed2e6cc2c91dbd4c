//go:build unix

package daemon

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
)

// FreeAddrs returns n different addresses of the loopback interface, host:port, where nobody listens. Their ports are
// below those that systems give to outgoing connections, so that a server that is away for a moment finds its own
// still free.
func FreeAddrs(n int) ([]string, error) {
	const first, last, tries = 12000, 30000, 1000
	var free []string
	for range tries {
		if len(free) == n {
			return free, nil
		}
		addr := fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(last-first))
		if slices.Contains(free, addr) {
			continue
		}
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		if err := ln.Close(); err != nil {
			return nil, err
		}
		free = append(free, addr)
	}
	return nil, errors.New("there are no free ports")
}

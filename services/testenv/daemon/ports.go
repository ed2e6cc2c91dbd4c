//go:build unix

package daemon

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// marks are held until the process ends: each has the number of a port that FreeAddrs returned. The servers themselves
// use TCP alone.
var marks struct {
	sync.Mutex
	conns []net.PacketConn
}

// FreeAddrs returns n different addresses of the loopback interface, host:port, where nobody listens. Their ports are
// below those that systems give to outgoing connections, so that a server that is away for a moment finds its own
// still free, and no other process gets them from here before this one ends.
func FreeAddrs(n int) ([]string, error) {
	const first, last, tries = 12000, 30000, 1000
	var free []string
	for range tries {
		if len(free) == n {
			return free, nil
		}
		addr := fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(last-first))
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		if err := ln.Close(); err != nil {
			return nil, err
		}
		mark, err := net.ListenPacket("udp", addr)
		if err != nil { // it is another's, who does not listen at the moment
			continue
		}
		marks.Lock()
		marks.conns = append(marks.conns, mark)
		marks.Unlock()
		free = append(free, addr)
	}
	return nil, errors.New("there are no free ports")
}

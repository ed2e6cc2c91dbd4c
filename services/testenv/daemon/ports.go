//go:build unix

package daemon

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// marks reserve the ports that FreeAddrs returned until the process ends. The servers themselves use only TCP.
var marks struct {
	sync.Mutex
	conns []net.PacketConn
}

// FreeAddrs returns n different free addresses of the loopback interface, host:port. Their ports are below those of
// outgoing connections, so a server that restarts finds its port free, and no other process gets them from FreeAddrs
// before this one ends.
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
		if err != nil { // another process has reserved it
			continue
		}
		marks.Lock()
		marks.conns = append(marks.conns, mark)
		marks.Unlock()
		free = append(free, addr)
	}
	return nil, errors.New("no free ports")
}

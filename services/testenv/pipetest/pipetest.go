// Package pipetest connects clients and servers of a test within its process, for tests that run in a synctest bubble:
// its clock does not wait for real sockets.
package pipetest

import (
	"context"
	"net"
)

// Listener accepts the connections that Dial opens.
type Listener struct {
	conns  chan net.Conn
	closed chan struct{}
}

// Listen returns a listener. The caller closes it.
func Listen() *Listener { return &Listener{conns: make(chan net.Conn), closed: make(chan struct{})} }

// Addr implements [net.Listener].
func (l *Listener) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

// Close implements [net.Listener].
func (l *Listener) Close() error {
	close(l.closed)
	return nil
}

// Accept implements [net.Listener].
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Dial opens a connection. It has the signature of http.Transport.DialContext; the address is ignored.
func (l *Listener) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

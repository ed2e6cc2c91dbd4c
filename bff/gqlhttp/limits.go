package gqlhttp

import "time"

// Limits bound a request and a connection. Package guard has those of operations.
type Limits struct {
	Body    int64         // bytes of the operations with their variables, without files
	Files   int           // files of a form
	Batch   int           // operations in one request
	Errors  int           // errors listed in a response
	Timeout time.Duration // of all operations of a request, except subscriptions

	Operations   int           // operations at the same time on a WebSocket
	InitTimeout  time.Duration // from the opening of a WebSocket to connection_init
	KeepAlive    time.Duration // silence until a ping or a comment; a client that does not answer the ping in the same time is disconnected
	WriteTimeout time.Duration // until the client has read a message
}

// DefaultLimits returns limits that no ordinary client reaches.
func DefaultLimits() Limits {
	return Limits{
		Body: 1 << 20, Files: 4, Batch: 10, Errors: 20, Timeout: time.Minute,
		Operations: 50, InitTimeout: 10 * time.Second, KeepAlive: 20 * time.Second, WriteTimeout: 10 * time.Second,
	}
}

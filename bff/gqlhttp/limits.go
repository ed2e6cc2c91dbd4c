package gqlhttp

import "time"

// Limits bound one request and one connection. Those of what an operation asks for are in package guard.
type Limits struct {
	Body    int64         // bytes of the operations with their variables, without files
	Files   int           // files of a form
	Batch   int           // operations in one request
	Errors  int           // errors listed in an answer
	Timeout time.Duration // from the whole request to the whole answer, but for subscriptions

	Operations   int           // operations at once on a socket
	InitTimeout  time.Duration // from the opening of a socket to connection_init
	KeepAlive    time.Duration // silence until a sign of life is asked for or given; a socket that gives none is closed after twice that
	WriteTimeout time.Duration // until the client has taken a message
}

// DefaultLimits returns limits that leave room for every honest client.
func DefaultLimits() Limits {
	return Limits{
		Body: 1 << 20, Files: 4, Batch: 10, Errors: 20, Timeout: time.Minute,
		Operations: 50, InitTimeout: 10 * time.Second, KeepAlive: 20 * time.Second, WriteTimeout: 10 * time.Second,
	}
}

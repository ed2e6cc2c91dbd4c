package gqlhttp

import "time"

// Limits bound what one request may ask for. Each stops an attack that is a case of TestAttacks.
type Limits struct {
	Body     int64 // bytes of the operations with their variables, without files
	Files    int   // files of a form
	Batch    int   // operations in one request
	Document int   // bytes of a document
	Name     int   // bytes of a name in a document

	Tokens     int // tokens of a document
	Fields     int // fields written in a document
	Depth      int // fields within fields
	Aliases    int // aliases of an operation
	RootFields int // fields of an operation on the first level
	Nodes      int // fields and fragments of an operation, its fragments written out: fragments within fragments multiply

	IntrospectionDepth int // fields below __schema and __type, within each other
	IntrospectionLists int // lists of types and fields there, within each other

	Cost   int // items of all lists of an operation at most: lists within lists multiply
	Answer int // bytes of an answer, as estimated from the fields and the items that they are selected of

	Errors  int           // errors listed in an answer
	Timeout time.Duration // from the whole request to the whole answer, but for subscriptions

	Connections  int           // sockets and streams of events of one client address; 0 = no limit
	Operations   int           // operations at once on a socket
	Pause        time.Duration // that a subscription waits at a time which has brought too much
	InitTimeout  time.Duration // from the opening of a socket to connection_init
	KeepAlive    time.Duration // silence until a sign of life is asked for or given; a socket that gives none is closed after twice that
	WriteTimeout time.Duration // until the client has taken a message
}

// DefaultLimits returns limits that leave room for every honest client.
func DefaultLimits() Limits {
	return Limits{
		Body: 1 << 20, Files: 4, Batch: 10, Document: 64 << 10, Name: 100,
		Tokens: 3000, Fields: 500, Depth: 12, Aliases: 50, RootFields: 20, Nodes: 2000,
		IntrospectionDepth: 16, IntrospectionLists: 2,
		Cost: 20_000, Answer: 4 << 20,
		Errors: 20, Timeout: time.Minute,
		Connections: 1000, Operations: 50, Pause: 5 * time.Second,
		InitTimeout: 10 * time.Second, KeepAlive: 20 * time.Second, WriteTimeout: 10 * time.Second,
	}
}

package rpc

// IsRead reports to tests whether a method is retried.
var IsRead = isRead

// The longest that a call waits.
const (
	ReadTimeout = readTimeout
	CallTimeout = callTimeout
)

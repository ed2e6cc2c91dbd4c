package bff

// IsRead tells the tests what is tried again.
var IsRead = isRead

// The longest that a call waits.
const (
	ReadTimeout = readTimeout
	CallTimeout = callTimeout
)

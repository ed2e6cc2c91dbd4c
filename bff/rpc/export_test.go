package rpc

// IsRead tells the tests what is tried again.
var IsRead = isRead

package rpc

// IsRead reports to tests whether a method is retried.
var IsRead = isRead

package bff

// IsRead tells the tests what is tried again.
var IsRead = isRead

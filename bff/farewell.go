package bff

import (
	"net/http"
	"sync/atomic"
	"time"
)

// farewellTime is how long a server behind a proxy goes on before it stops.
const farewellTime = 500 * time.Millisecond

// farewell makes proxies close the connections that they keep, before the server stops: else one might send a request
// at the moment in which the connection ends, and may not repeat it if it is no mere read.
type farewell struct{ said atomic.Bool }

// around is middleware that closes the connection behind each answer once farewell is said.
func (f *farewell) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.said.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// say waits until proxies have heard it.
func (f *farewell) say() {
	f.said.Store(true)
	time.Sleep(farewellTime)
}

package middleware

import (
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	responseTimeout = 2 * time.Minute // until the client has read the response
	mediaTimeout    = time.Hour       // until it has read a file
)

// ExtendDeadlines is middleware that ends a connection whose client stalls: the body must make progress within stall,
// and the response must be read within two minutes.
func ExtendDeadlines(stall time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body := &progressBody{ReadCloser: r.Body, connection: http.NewResponseController(w), stall: stall}
			if r.Body == http.NoBody {
				body.stall = 0
			}
			body.extend()
			r.Body = body
			next.ServeHTTP(w, r)
		})
	}
}

// MediaDeadline is middleware that leaves a client more time to read a file.
func MediaDeadline(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(mediaTimeout))
		next.ServeHTTP(w, r)
	})
}

// progressBody extends the deadlines of the connection while the body makes progress. After the end of the body there is
// no deadline to read: net/http then waits for the client to go, and would take an exceeded deadline for that.
type progressBody struct {
	io.ReadCloser
	connection *http.ResponseController
	stall      time.Duration // 0 = the body has ended
	extended   time.Time
}

func (b *progressBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		b.stall = 0
		b.extend()
	case n > 0 && time.Since(b.extended) > b.stall/30:
		b.extend()
	}
	return n, err
}

func (b *progressBody) extend() {
	b.extended = time.Now()
	var readBy time.Time
	if b.stall > 0 {
		readBy = b.extended.Add(b.stall)
	}
	// Only connections without deadlines, such as those of tests, return an error.
	_ = b.connection.SetReadDeadline(readBy)
	_ = b.connection.SetWriteDeadline(b.extended.Add(responseTimeout))
}

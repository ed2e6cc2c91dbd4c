package middleware

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// Limits of a request.
const (
	answerTimeout = 2 * time.Minute // an answer must be taken within
	playTimeout   = time.Hour       // a file must be taken within
)

// MoveDeadlines is middleware that ends a connection whose client stalls: the body must go on within the time given,
// and the answer must be taken within answerTimeout.
func MoveDeadlines(stall time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body := &movingBody{ReadCloser: r.Body, connection: http.NewResponseController(w), stall: stall}
			if r.Body == http.NoBody {
				body.stall = 0
			}
			body.extend()
			r.Body = body
			next.ServeHTTP(w, r)
		})
	}
}

// PlayDeadline gives the reader of a file more time than that of an answer.
func PlayDeadline(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(playTimeout))
		next.ServeHTTP(w, r)
	})
}

// movingBody moves the deadlines on as long as the body brings something. Once it has ended there is no deadline to
// read: net/http then waits for the client to go away, and would take a deadline that passes for that.
type movingBody struct {
	io.ReadCloser
	connection *http.ResponseController
	stall      time.Duration // 0 = there is nothing left to read
	moved      time.Time
}

func (b *movingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		b.stall = 0
		b.extend()
	case n > 0 && time.Since(b.moved) > b.stall/30:
		b.extend()
	}
	return n, err
}

func (b *movingBody) extend() {
	b.moved = time.Now()
	var readBy time.Time
	if b.stall > 0 {
		readBy = b.moved.Add(b.stall)
	}
	// Only connections that cannot have deadlines, such as those of tests, return an error.
	_ = b.connection.SetReadDeadline(readBy)
	_ = b.connection.SetWriteDeadline(b.moved.Add(answerTimeout))
}

package gqlhttp

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"minidouyin/idl/codes"
)

// response is the response to one operation, and how HTTP says it.
type response struct {
	*graphql.Response
	executed bool // it has data; else the operation was refused
	status   int  // 0 = as the specification says
	internal bool // it was refused by a fault of the server
	allow    string
}

// responseOf returns a response of the executor.
func responseOf(r *graphql.Response) *response {
	a := &response{Response: r, executed: r.Data != nil}
	if a.executed {
		return a
	}
	for _, err := range r.Errors {
		switch err.Extensions["code"] {
		case codes.RateLimited.String():
			a.status = http.StatusTooManyRequests
		case codes.Internal.String():
			a.internal = true
		}
	}
	return a
}

// MarshalJSON leaves the data out where there is none, instead of writing null.
func (r *response) MarshalJSON() ([]byte, error) {
	if r.executed {
		return json.Marshal(r.Response)
	}
	return json.Marshal(struct {
		Errors     gqlerror.List  `json:"errors"`
		Extensions map[string]any `json:"extensions,omitempty"`
	}{r.Errors, r.Extensions})
}

// statusFor returns the HTTP status. With application/json it is 200 for every operation that was read, as always; with
// application/graphql-response+json it shows that an operation was refused.
func (r *response) statusFor(media string) int {
	switch {
	case r.status != 0:
		return r.status
	case r.executed || media == mediaJSON:
		return http.StatusOK
	case r.internal:
		return http.StatusInternalServerError
	default:
		return http.StatusBadRequest
	}
}

func (r *response) write(w http.ResponseWriter, media string) {
	if r.allow != "" {
		w.Header().Set("Allow", r.allow)
	}
	writeJSON(w, media, r.statusFor(media), r)
}

// writeBatch answers a list. The status is 200, or 429 if the limits allow none of the operations.
func writeBatch(w http.ResponseWriter, media string, responses []*response) {
	status := http.StatusTooManyRequests
	for _, r := range responses {
		if r.status != status {
			status = http.StatusOK
			break
		}
	}
	writeJSON(w, media, status, responses)
}

func writeJSON(w http.ResponseWriter, media string, status int, body any) {
	w.Header().Set("Content-Type", media+"; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(encode(body)) // the client may be gone
}

func encode(body any) []byte {
	var text bytes.Buffer
	_ = json.NewEncoder(&text).Encode(body) // a response always encodes
	return text.Bytes()
}

package gqlserver

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// response is the answer to one operation.
type response struct {
	*graphql.Response
	executed bool // else it was refused before, and there is no data
	status   int  // 0 = as the specification says
	allow    string
}

// refused returns the answer to an operation that is not run.
func (s *Server) refused(ctx context.Context, errs gqlerror.List) *response {
	return &response{Response: s.exec.DispatchError(ctx, errs)}
}

func methodNotAllowed() *response {
	return &response{
		Response: &graphql.Response{Errors: gqlerror.List{coded("INVALID_ARGUMENT", "only queries can be sent with GET")}},
		status:   http.StatusMethodNotAllowed, allow: http.MethodPost,
	}
}

func coded(code, message string) *gqlerror.Error {
	return &gqlerror.Error{Message: message, Extensions: map[string]any{"code": code}}
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

// statusFor returns the HTTP status. A client that asks for application/json gets 200 for whatever reached the graph,
// as it always has; application/graphql-response+json tells a refusal by its status.
func (r *response) statusFor(media string) int {
	switch {
	case r.status != 0:
		return r.status
	case r.executed || media == mediaJSON:
		return http.StatusOK
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

func writeBatch(w http.ResponseWriter, media string, responses []*response) {
	writeJSON(w, media, http.StatusOK, responses)
}

func writeJSON(w http.ResponseWriter, media string, status int, body any) {
	w.Header().Set("Content-Type", media+"; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}

// fail answers a request that could not be read.
func fail(w http.ResponseWriter, media string, err *requestError) {
	r := &response{status: err.status, allow: err.allow,
		Response: &graphql.Response{Errors: gqlerror.List{coded(err.code, err.message)}}}
	r.write(w, media)
}

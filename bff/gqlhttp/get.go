package gqlhttp

import (
	"context"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"minidouyin/bff/gqlhttp/httpcache"
	"minidouyin/idl/codes"
)

// GET runs queries that are sent in the URL.
type GET struct {
	Limits Limits
	Cache  *httpcache.Cache // nil = nobody may keep a response
}

var _ graphql.Transport = GET{}

// Supports reports whether the request is a GET that is not answered as a stream.
func (GET) Supports(r *http.Request) bool {
	return r.Method == http.MethodGet && !isUpgrade(r) && !acceptsEvents(r)
}

// Do runs the query.
func (t GET) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	params, err := readURL(r)
	if err != nil {
		fail(w, r, exec, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), t.Limits.Timeout)
	defer cancel()
	operation, refused := prepare(ctx, exec, params)
	if refused != nil {
		refused.write(w, mediaOf(r))
		return
	}
	if operation.Operation.Operation == ast.Mutation {
		fail(w, r, exec, &requestError{status: http.StatusMethodNotAllowed, code: codes.InvalidArgument,
			message: "only queries can be sent with GET", allow: http.MethodPost})
		return
	}
	result := execute(ctx, exec, operation)
	if t.Cache != nil && result.executed && len(result.Errors) == 0 && w.Header().Get("Set-Cookie") == "" { // a cookie is for one client
		if control := t.Cache.Control(ctx, operation); control != "" {
			httpcache.Write(w, r, mediaOf(r), control, encode(result))
			return
		}
	}
	result.write(w, mediaOf(r))
}

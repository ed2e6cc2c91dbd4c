package gqlserver

import (
	"mime"
	"net/http"

	"minidouyin/idl/codes"
)

// preflightHeaders are headers that a page of another origin cannot send unasked: with one of them, the browser has
// made sure that the page may talk to this server.
var preflightHeaders = []string{"X-Requested-With", "Apollo-Require-Preflight"}

// checkOrigin refuses requests that a page of another origin can make a browser send without asking: forms with files,
// and GET where cookies come along.
func (s *Server) checkOrigin(r *http.Request) *requestError {
	for _, name := range preflightHeaders {
		if r.Header.Get(name) != "" {
			return nil
		}
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	foreignForm := media == "multipart/form-data" && s.origins.Check(r) != nil
	if foreignForm || (r.Method == http.MethodGet && r.Header.Get("Cookie") != "") {
		return &requestError{status: http.StatusForbidden, code: codes.PermissionDenied,
			message: "this request needs the header " + preflightHeaders[0]}
	}
	return nil
}

package gqlhttp

import (
	"mime"
	"net/http"
	"strings"

	"minidouyin/idl/codes"
)

// preflightHeaders are headers that a page of another origin cannot send without a preflight request, by which the
// browser has checked that the page may use this server.
var preflightHeaders = []string{"X-Requested-With", "Apollo-Require-Preflight"}

// checkForeign refuses requests of pages of other origins, except of trusted ones. Browsers open WebSockets and streams of
// events for any page, without a preflight request.
func (s *Server) checkForeign(r *http.Request) *requestError {
	asWrite := r.Clone(r.Context())
	asWrite.Method = http.MethodPost // the rule allows every GET
	if s.origins.Check(asWrite) != nil {
		return &requestError{status: http.StatusForbidden, code: codes.PermissionDenied, message: "pages of this origin may not connect"}
	}
	return nil
}

// checkOrigin refuses requests that a page of another origin can send without a preflight request: forms with files, and
// GET with cookies.
func (s *Server) checkOrigin(r *http.Request) *requestError {
	for _, name := range preflightHeaders {
		if r.Header.Get(name) != "" {
			return nil
		}
	}
	if isUpgrade(r) || (r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), mediaEvents)) {
		return s.checkForeign(r)
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	foreignForm := media == "multipart/form-data" && s.origins.Check(r) != nil
	if foreignForm || (r.Method == http.MethodGet && r.Header.Get("Cookie") != "") {
		return &requestError{status: http.StatusForbidden, code: codes.PermissionDenied,
			message: "this request needs the header " + preflightHeaders[0]}
	}
	return nil
}

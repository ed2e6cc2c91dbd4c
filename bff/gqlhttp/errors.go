package gqlhttp

import (
	"context"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"minidouyin/idl/codes"
)

// maxMessage is how long the text of an error may be: that of a document can repeat its words.
const maxMessage = 300

// present makes of an error what the client sees of it: as the configuration says, in few words and with the id of the
// request.
func (s *Server) present(ctx context.Context, err error) *gqlerror.Error {
	return s.sign(ctx, s.cfg.Present(ctx, err))
}

func (s *Server) sign(ctx context.Context, shown *gqlerror.Error) *gqlerror.Error {
	if text := []rune(shown.Message); len(text) > maxMessage {
		shown.Message = string(text[:maxMessage]) + "…"
	}
	if shown.Extensions == nil {
		shown.Extensions = map[string]any{}
	}
	shown.Extensions["requestId"] = s.cfg.RequestID(ctx)
	return shown
}

// signAll signs the errors of a response.
func (s *Server) signAll(ctx context.Context, response *graphql.Response) *graphql.Response {
	if response != nil {
		for _, err := range response.Errors {
			s.sign(ctx, err)
		}
	}
	return response
}

// coded returns an error that arose here.
func (s *Server) coded(ctx context.Context, code codes.Code, message string) gqlerror.List {
	return gqlerror.List{s.sign(ctx, &gqlerror.Error{Message: message, Extensions: map[string]any{"code": code.String()}})}
}

// visitor returns whether the asker is a visitor.
func (s *Server) visitor(ctx context.Context) bool {
	if s.cfg.Visitor == nil {
		return false
	}
	_, ok := s.cfg.Visitor(ctx)
	return ok
}

// capErrors lists the first errors of an answer only.
func (s *Server) capErrors(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	response := next(ctx)
	if response != nil && len(response.Errors) > s.cfg.Limits.Errors {
		response.Errors = response.Errors[:s.cfg.Limits.Errors]
	}
	return response
}

// requestError is why a request cannot be read.
type requestError struct {
	status  int
	code    codes.Code
	message string
	allow   string
}

func badRequest(message string) *requestError {
	return &requestError{status: http.StatusBadRequest, code: codes.InvalidArgument, message: message}
}

func tooLarge(message string) *requestError {
	return &requestError{status: http.StatusRequestEntityTooLarge, code: codes.TooLarge, message: message}
}

// Refuse answers a request that middleware does not let through, with a status and an error that has a code.
func (s *Server) Refuse(w http.ResponseWriter, r *http.Request, status int, err error) {
	form, ok := negotiate(r)
	if !ok {
		form = mediaJSON
	}
	s.fail(r.Context(), w, form, &requestError{status: status, code: codes.Of(err), message: codes.Message(err)})
}

// fail answers a request that could not be read.
func (s *Server) fail(ctx context.Context, w http.ResponseWriter, media string, err *requestError) {
	r := &response{status: err.status, allow: err.allow, Response: &graphql.Response{Errors: s.coded(ctx, err.code, err.message)}}
	r.write(w, media)
}

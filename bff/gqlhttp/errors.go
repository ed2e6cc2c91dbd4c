package gqlhttp

import (
	"context"
	"errors"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"minidouyin/bff/gqlhttp/documents"
	"minidouyin/idl/codes"
)

// maxMessage is how many characters the message of an error has at most: that of a document may repeat its words.
const maxMessage = 300

// present returns what the client sees of an error: as the presenter says, in few words and with the id of the request.
func (s *Server) present(ctx context.Context, err error) *gqlerror.Error {
	if shown, ok := errors.AsType[*gqlerror.Error](err); ok && shown.Extensions["code"] == documents.CodeNotPersisted {
		return s.sign(ctx, shown) // the code is one of Apollo's protocol, not of the graph
	}
	return s.sign(ctx, s.presenter(ctx, err))
}

// sign shortens the message of an error and adds the id of the request.
func (s *Server) sign(ctx context.Context, shown *gqlerror.Error) *gqlerror.Error {
	if text := []rune(shown.Message); len(text) > maxMessage {
		shown.Message = string(text[:maxMessage]) + "…"
	}
	if shown.Extensions == nil {
		shown.Extensions = map[string]any{}
	}
	shown.Extensions["requestId"] = s.requestID(ctx)
	return shown
}

// signAll signs the errors of a response: those of middleware were not presented.
func (s *Server) signAll(ctx context.Context, response *graphql.Response) *graphql.Response {
	if response != nil {
		for _, err := range response.Errors {
			_ = s.sign(ctx, err)
		}
	}
	return response
}

// capErrors returns middleware that lists only the first errors of a response.
func capErrors(limit int) graphql.ResponseMiddleware {
	return func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		response := next(ctx)
		if response != nil && len(response.Errors) > limit {
			response.Errors = response.Errors[:limit]
		}
		return response
	}
}

// errorList returns an error with a code, to be presented by DispatchError of an executor.
func errorList(code codes.Code, message string) gqlerror.List {
	return gqlerror.List{gqlerror.Wrap(codes.Errorf(code, "%s", message))}
}

// requestError is why a request is refused before its operations are known.
type requestError struct {
	status  int
	code    codes.Code
	message string
	allow   string // methods, for the status 405
}

func badRequest(message string) *requestError {
	return &requestError{status: http.StatusBadRequest, code: codes.InvalidArgument, message: message}
}

func tooLarge(message string) *requestError {
	return &requestError{status: http.StatusRequestEntityTooLarge, code: codes.TooLarge, message: message}
}

// unsupported returns why no transport supports a request.
func unsupported(r *http.Request) *requestError {
	switch r.Method {
	case http.MethodGet:
		return &requestError{status: http.StatusNotAcceptable, code: codes.InvalidArgument, message: "no transport answers this request"}
	case http.MethodPost:
		return &requestError{status: http.StatusUnsupportedMediaType, code: codes.InvalidArgument,
			message: "the Content-Type must be application/json or multipart/form-data"}
	default:
		return &requestError{status: http.StatusMethodNotAllowed, code: codes.InvalidArgument,
			message: "the method must be GET or POST", allow: "GET, POST"}
	}
}

// fail answers a request that is refused.
func fail(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, err *requestError) {
	refused := &response{Response: exec.DispatchError(r.Context(), errorList(err.code, err.message)), status: err.status, allow: err.allow}
	refused.write(w, mediaOf(r))
}

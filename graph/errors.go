package graph

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"runtime"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/cloudwego/kitex/pkg/kerrors"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"minidouyin/idl/codes"
)

// Present returns the function that converts errors for clients: the message of a coded error, a fixed message for any
// other error, and always `extensions.code`. Internal errors are logged here only.
func Present(log *slog.Logger) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		shown := graphql.DefaultErrorPresenter(ctx, err)
		if isRequestError(shown) {
			return shown
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = codes.Errorf(codes.UpstreamUnavailable, "the answer took too long, please try again")
		}
		code := codes.Of(err)
		// An internal error with a code was logged where it was created.
		if _, coded := kerrors.FromBizStatusError(err); code == codes.Internal && !coded && ctx.Err() == nil {
			log.ErrorContext(ctx, "operation failed", "path", shown.Path.String(), "error", err)
		}
		out := &gqlerror.Error{Message: codes.Message(err), Path: shown.Path, Locations: shown.Locations}
		errcode.Set(out, code.String())
		return out
	}
}

// isRequestError reports whether gqlgen's parser or validator refused the document. The text of such an error quotes
// only the document and the schema, so the client may read it.
func isRequestError(err *gqlerror.Error) bool {
	code, _ := err.Extensions["code"].(string)
	return err.Err == nil && (code == errcode.ParseFailed || code == errcode.ValidationFailed)
}

// Recover returns the function that logs a panic and converts it to an internal error.
func Recover(log *slog.Logger) graphql.RecoverFunc {
	return func(ctx context.Context, cause any) error {
		log.ErrorContext(ctx, "request panicked", "panic", DescribePanic(cause), "path", graphql.GetPath(ctx).String())
		return codes.Errorf(codes.Internal, "internal error")
	}
}

// DescribePanic returns the cause of a panic, cut as it may hold what a client has sent, and where it was: the innermost
// calls first, in one line. The deferred function that recovers must call it.
func DescribePanic(cause any) string {
	const maxCause, maxCalls = 200, 8
	text := fmt.Sprint(cause)
	if len(text) > maxCause {
		text = strings.ToValidUTF8(text[:maxCause], "") + "…"
	}
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	panicked := false
	for calls := 0; calls < maxCalls; {
		frame, more := frames.Next()
		switch {
		case strings.HasPrefix(frame.Function, "runtime."):
			panicked = panicked || frame.Function == "runtime.gopanic"
		case panicked: // what recovers stands above
			text += fmt.Sprintf(" < %s:%d", path.Base(frame.Function), frame.Line)
			calls++
		}
		if !more {
			break
		}
	}
	return text
}

package graph

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

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
		log.ErrorContext(ctx, "request panicked", "panic", DescribePanic(cause, debug.Stack()), "path", graphql.GetPath(ctx).String())
		return codes.Errorf(codes.Internal, "internal error")
	}
}

// DescribePanic returns the cause of a panic and the start of its stack, cut to 3 KB, because a panic may contain data
// of a client. stack is the stack of the goroutine that recovers.
func DescribePanic(cause any, stack []byte) string {
	const maxCause, maxStack = 1 << 10, 2 << 10
	text := fmt.Sprint(cause)
	if len(text) > maxCause {
		text = text[:maxCause] + "…"
	}
	if at := bytes.LastIndex(stack, []byte("\npanic(")); at >= 0 { // above it are the functions that recover
		stack = stack[at+1:]
	}
	return text + "\n" + string(stack[:min(len(stack), maxStack)])
}

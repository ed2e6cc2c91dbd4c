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

// Present returns the function that turns errors into what clients see: the message of an error with a code, a fixed
// one for any other, and always `extensions.code`. What is internal is logged here and nowhere else.
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
		// An internal error that came with its code was logged where it arose.
		if _, coded := kerrors.FromBizStatusError(err); code == codes.Internal && !coded && ctx.Err() == nil {
			log.ErrorContext(ctx, "operation failed", "path", shown.Path.String(), "error", err)
		}
		out := &gqlerror.Error{Message: codes.Message(err), Path: shown.Path, Locations: shown.Locations}
		errcode.Set(out, code.String())
		return out
	}
}

// isRequestError tells whether an error speaks of the document itself: gqlgen's parser and validator wrote it, and its
// text names nothing but the client's own words and the schema.
func isRequestError(err *gqlerror.Error) bool {
	code, _ := err.Extensions["code"].(string)
	return err.Err == nil && (code == errcode.ParseFailed || code == errcode.ValidationFailed)
}

// Recover returns the function that logs a panic and turns it into an internal error.
func Recover(log *slog.Logger) graphql.RecoverFunc {
	return func(ctx context.Context, cause any) error {
		log.ErrorContext(ctx, "request panicked", "panic", DescribePanic(cause, debug.Stack()), "path", graphql.GetPath(ctx).String())
		return codes.Errorf(codes.Internal, "internal error")
	}
}

// DescribePanic returns the cause of a panic and the beginning of its stack, which is that of the goroutine that
// recovers it, in 3 KB at most: a panic may hold what a client has sent.
func DescribePanic(cause any, stack []byte) string {
	const maxCause, maxStack = 1 << 10, 2 << 10
	text := fmt.Sprint(cause)
	if len(text) > maxCause {
		text = text[:maxCause] + "…"
	}
	if at := bytes.LastIndex(stack, []byte("\npanic(")); at >= 0 { // what recovers stands above it
		stack = stack[at+1:]
	}
	return text + "\n" + string(stack[:min(len(stack), maxStack)])
}

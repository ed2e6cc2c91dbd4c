package services

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/cloudwego/kitex/pkg/endpoint"
	"github.com/cloudwego/kitex/pkg/kerrors"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/pkg/utils"

	"minidouyin/idl/codes"
	"minidouyin/services/internal/database"
)

// maskErrors gives every error a code, which clients receive. An error without a code, such as a panic, is logged here,
// once, and the client gets a fixed text.
func maskErrors(log *slog.Logger) endpoint.Middleware {
	return func(next endpoint.Endpoint) endpoint.Endpoint {
		return func(ctx context.Context, req, resp any) error {
			err := next(ctx, req, resp) // nil for an error with a code, which is already in the invocation
			if err == nil {
				return nil
			}
			masked := mask(ctx, log, req, err)
			invocation, ok := rpcinfo.GetRPCInfo(ctx).Invocation().(rpcinfo.InvocationSetter)
			biz, isBiz := kerrors.FromBizStatusError(masked)
			if !ok || !isBiz {
				return masked
			}
			invocation.SetBizStatusErr(biz)
			return nil
		}
	}
}

func mask(ctx context.Context, log *slog.Logger, req any, err error) error {
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return codes.Errorf(codes.UpstreamUnavailable, "the answer took too long, please try again")
	}
	attrs := []any{
		slog.String("method", rpcinfo.GetRPCInfo(ctx).Invocation().MethodName()),
		slog.String("request", describe(req)),
		slog.Any("error", err),
	}
	if detail, ok := errors.AsType[*kerrors.DetailedError](err); ok && detail.Stack() != "" {
		attrs = append(attrs, slog.String("stack", detail.Stack()))
	}
	if database.Unavailable(err) {
		log.ErrorContext(ctx, "database unavailable", attrs...)
		return codes.Errorf(codes.UpstreamUnavailable, "a part of the service is away, please try again")
	}
	log.ErrorContext(ctx, "internal error", attrs...)
	return codes.Errorf(codes.Internal, "internal error")
}

// describe returns the request as text for the log. It leaves out confidential data: passwords and the texts of
// comments and messages.
func describe(req any) string {
	args, ok := req.(utils.KitexArgs)
	if !ok {
		return ""
	}
	request := args.GetFirstArgument()
	switch request.(type) {
	case interface{ GetPassword() string }, interface{ GetContent() string }:
		return fmt.Sprintf("%T", request)
	}
	const longest = 500
	text := fmt.Sprint(request)
	if len(text) > longest {
		text = text[:longest] + "…"
	}
	return text
}

package gqlhttp

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"maps"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// share computes what several visitors ask for at the same time once, where the answer is everybody's. Who asks first
// computes it, to its end also when that client goes away: the others wait for it.
func (s *Server) share(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	respond := next(ctx)
	key, ok := s.shareKey(ctx, graphql.GetOperationContext(ctx))
	if !ok {
		return respond
	}
	return func(ctx context.Context) *graphql.Response {
		computed, _, _ := s.flights.Do(key, func() (any, error) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Limits.Timeout)
			defer cancel()
			return respond(ctx), nil
		})
		response, _ := computed.(*graphql.Response)
		if response == nil {
			return nil
		}
		own := *response
		own.Errors = nil
		for _, err := range response.Errors {
			own.Errors = append(own.Errors, s.copyError(ctx, err))
		}
		return &own
	}
}

// shareKey returns what all who get the same answer have in common. ok is false when the answer is not everybody's.
func (s *Server) shareKey(ctx context.Context, operation *graphql.OperationContext) (key string, ok bool) {
	variant, visitor := s.visitor(ctx)
	if !visitor {
		return "", false
	}
	if p := policyOf(s.cfg.Schema.Schema(), operation); p.maxAge == 0 || p.private {
		return "", false
	}
	text, err := json.Marshal([]any{variant, operation.RawQuery, operation.Operation.Name, operation.Variables})
	if err != nil {
		return "", false // a file, which belongs to one request
	}
	sum := sha256.Sum256(text)
	return string(sum[:]), true
}

// copyError returns an error that others have too as that of this request.
func (s *Server) copyError(ctx context.Context, err *gqlerror.Error) *gqlerror.Error {
	own := *err
	own.Extensions = maps.Clone(err.Extensions)
	return s.sign(ctx, &own)
}

// visitor returns whether the asker is a visitor, and what the answers to visitors depend on beside the operation.
func (s *Server) visitor(ctx context.Context) (variant string, ok bool) {
	if s.cfg.Visitor == nil {
		return "", false
	}
	return s.cfg.Visitor(ctx)
}

package documents

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Executor finds the document of an operation that names it, and keeps those that are valid. It stands in front of
// another executor, for not all of what that runs may name documents.
type Executor struct {
	graphql.GraphExecutor
	Documents *Persisted
}

// CreateOperationContext reads and checks an operation.
func (e Executor) CreateOperationContext(ctx context.Context, params *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	if refusal := e.Documents.resolve(ctx, params); refusal != nil {
		return &graphql.OperationContext{OperationName: params.OperationName}, gqlerror.List{refusal}
	}
	operation, errs := e.GraphExecutor.CreateOperationContext(ctx, params)
	if errs == nil {
		e.Documents.remember(ctx, params)
	}
	return operation, errs
}

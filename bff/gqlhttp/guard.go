package gqlhttp

import (
	"context"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/lexer"
	"github.com/vektah/gqlparser/v2/parser"

	"minidouyin/idl/codes"
)

// guard refuses an operation that is over the limits: its document before it is validated, and its cost before it is
// run. A document that was found valid before is not looked at again.
type guard struct {
	limits   Limits
	cache    *documentCache
	pageSize func(ctx context.Context, argument string) int
}

var (
	_ graphql.HandlerExtension          = guard{}
	_ graphql.OperationParameterMutator = guard{}
	_ graphql.OperationContextMutator   = guard{}
)

// ExtensionName names the extension.
func (guard) ExtensionName() string { return "Guard" }

// Validate accepts every schema.
func (guard) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters changes nothing; it refuses a document that is over the limits.
func (g guard) MutateOperationParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	if _, ok := g.cache.Get(ctx, params.Query); ok {
		return nil
	}
	if err := g.checkText(params.Query); err != nil {
		return gqlerror.Wrap(err)
	}
	document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: params.Query}, g.limits.Tokens)
	if err != nil {
		return nil // the executor says what is wrong
	}
	if err := checkDocument(g.limits, document); err != nil {
		return gqlerror.Wrap(err)
	}
	return nil
}

// checkText refuses a text with too many tokens, or with names so long that a look for similar ones takes its time.
func (g guard) checkText(text string) error {
	if len(text) > g.limits.Document {
		return codes.Errorf(codes.TooLarge, "a document has at most %d bytes", g.limits.Document)
	}
	lex := lexer.New(&ast.Source{Input: text})
	for range g.limits.Tokens + 1 {
		token, err := lex.ReadToken()
		switch {
		case err != nil || token.Kind == lexer.EOF:
			return nil // what is broken, the parser says better
		case token.Kind == lexer.Name && len(token.Value) > g.limits.Name:
			return refusef("a name has at most %d characters", g.limits.Name)
		}
	}
	return codes.Errorf(codes.TooLarge, "a document has at most %d tokens", g.limits.Tokens)
}

// MutateOperationContext notes the cost of the operation. It refuses one that costs too much, a null that the schema
// does not take, and a subscription to more than one thing.
func (g guard) MutateOperationContext(ctx context.Context, operation *graphql.OperationContext) *gqlerror.Error {
	if err := checkNulls(operation); err != nil {
		return err
	}
	if isSubscription(operation) {
		fields := graphql.CollectFields(operation, operation.Operation.SelectionSet, []string{"Subscription"})
		if len(fields) != 1 || strings.HasPrefix(fields[0].Name, "__") {
			return gqlerror.Wrap(refusef("a subscription selects one field of the type Subscription"))
		}
	}
	price := priceOf(operation, func(argument string) int { return g.pageSize(ctx, argument) })
	switch {
	case price.items > g.limits.Cost:
		return gqlerror.Wrap(refusef("this asks for up to %d items, and at most %d are given at once; please ask for smaller pages",
			price.items, g.limits.Cost))
	case price.bytes > g.limits.Answer:
		return gqlerror.Wrap(refusef("this asks for about %d bytes, and at most %d are given at once; please ask for smaller pages or fewer fields",
			price.bytes, g.limits.Answer))
	}
	operation.Stats.SetExtension(costKey, price.items)
	return nil
}

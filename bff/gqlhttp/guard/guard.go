// Package guard refuses operations that ask for too much: by the size of their documents and by what they may return.
package guard

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

// Guard refuses an operation that exceeds the limits: its document before validation, its cost before it runs. A document
// in the cache is not checked again.
type Guard struct {
	Limits   Limits
	Cache    graphql.Cache[*ast.QueryDocument]
	PageSize func(ctx context.Context, argument string) int
}

var (
	_ graphql.HandlerExtension          = Guard{}
	_ graphql.OperationParameterMutator = Guard{}
	_ graphql.OperationContextMutator   = Guard{}
)

// ExtensionName names the extension.
func (Guard) ExtensionName() string { return "Guard" }

// Validate accepts every schema.
func (Guard) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters changes nothing; it refuses a document that exceeds the limits.
func (g Guard) MutateOperationParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	if _, ok := g.Cache.Get(ctx, params.Query); ok {
		return nil
	}
	if err := CheckText(g.Limits, params.Query); err != nil {
		return gqlerror.Wrap(err)
	}
	document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: params.Query}, g.Limits.Tokens)
	if err != nil {
		return nil // the executor reports it
	}
	if err := CheckDocument(g.Limits, document); err != nil {
		return gqlerror.Wrap(err)
	}
	return nil
}

// CheckText refuses a text with too many tokens, or with names so long that the search for similar ones is slow.
func CheckText(limits Limits, text string) error {
	if len(text) > limits.Document {
		return codes.Errorf(codes.TooLarge, "a document has at most %d bytes", limits.Document)
	}
	lex := lexer.New(&ast.Source{Input: text})
	for range limits.Tokens + 1 {
		token, err := lex.ReadToken()
		switch {
		case err != nil || token.Kind == lexer.EOF:
			return nil // the parser reports it
		case token.Kind == lexer.Name && len(token.Value) > limits.Name:
			return refusef("a name has at most %d characters", limits.Name)
		}
	}
	return codes.Errorf(codes.TooLarge, "a document has at most %d tokens", limits.Tokens)
}

// MutateOperationContext stores the cost of the operation. It refuses one that costs too much, a null that the schema
// does not allow, and a subscription to more than one field.
func (g Guard) MutateOperationContext(ctx context.Context, operation *graphql.OperationContext) *gqlerror.Error {
	if err := checkNulls(operation); err != nil {
		return err
	}
	if operation.Operation.Operation == ast.Subscription {
		fields := graphql.CollectFields(operation, operation.Operation.SelectionSet, []string{"Subscription"})
		if len(fields) != 1 || strings.HasPrefix(fields[0].Name, "__") {
			return gqlerror.Wrap(refusef("a subscription selects one field of the type Subscription"))
		}
	}
	price := priceOf(operation, func(argument string) int { return g.PageSize(ctx, argument) })
	switch {
	case price.items > g.Limits.Cost:
		return gqlerror.Wrap(refusef("this asks for up to %d items, and at most %d are given at once; please ask for smaller pages",
			price.items, g.Limits.Cost))
	case price.bytes > g.Limits.Answer:
		return gqlerror.Wrap(refusef("this asks for about %d bytes, and at most %d are given at once; please ask for smaller pages or fewer fields",
			price.bytes, g.Limits.Answer))
	}
	operation.Stats.SetExtension(costKey, price.items)
	return nil
}

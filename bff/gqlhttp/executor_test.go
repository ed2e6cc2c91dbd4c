package gqlhttp_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"minidouyin/bff/gqlhttp"
)

// panicking panics in one of the steps of an operation that is named Boom.
type panicking struct {
	graphql.ExecutableSchema
	step string
	ran  *atomic.Int64 // other operations
}

func (p panicking) Exec(ctx context.Context) graphql.ResponseHandler {
	if graphql.GetOperationContext(ctx).Operation.Name != "Boom" {
		p.ran.Add(1)
		return p.ExecutableSchema.Exec(ctx)
	}
	if p.step == "start" {
		panic("oh")
	}
	return func(context.Context) *graphql.Response { panic("oh") }
}

// A panic fails its operation, but not the batch, the socket or the process.
func TestPanics(t *testing.T) {
	boom := map[string]any{"query": "query Boom { __typename }"}
	fine := map[string]any{"query": "query Fine { __typename }"}
	for _, step := range []string{"cost", "start", "answer", "middleware"} {
		t.Run(step, func(t *testing.T) {
			ran := &atomic.Int64{}
			s := newServer(t, func(cfg *gqlhttp.Config) {
				cfg.Schema = panicking{cfg.Schema, step, ran}
				switch step {
				case "cost":
					cfg.PageSize = func(context.Context, string) int { panic("oh") }
				case "middleware":
					cfg.Around = append(cfg.Around, func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
						if graphql.GetOperationContext(ctx).Operation.Name == "Boom" {
							panic("oh")
						}
						return next(ctx)
					})
				}
			})
			boom := boom
			if step == "cost" {
				boom = map[string]any{"query": "query Boom { feed { nodes { title } } }"}
			}
			check := func(answer string) {
				t.Helper()
				require.Contains(t, answer, `"message":"internal error"`)
				require.Contains(t, answer, `"code":"INTERNAL"`)
				require.NotContains(t, answer, "oh")
			}
			one := s.send(t, http.MethodPost, "", text(t, boom), "Accept", "application/graphql-response+json")
			require.Equal(t, http.StatusInternalServerError, one.status)
			check(one.text)

			batch := s.send(t, http.MethodPost, "", "["+text(t, fine)+","+text(t, boom)+","+text(t, fine)+"]")
			require.Equal(t, http.StatusOK, batch.status)
			check(batch.text)
			require.Equal(t, 2, strings.Count(batch.text, `{"data":{"__typename":"Query"}}`))

			c := s.connect(t)
			for range 2 {
				c.subscribe("1", boom)
				f := c.read()
				require.Equal(t, "error", f.Type)
				check(string(f.Payload))
			}
			c.subscribe("2", fine)
			require.Equal(t, "next", c.read().Type)

			check(s.ask(t, "events", boom))
			require.EqualValues(t, 3, ran.Load())
		})
	}
}

// panickingEvents is a schema whose subscriptions panic with their second event.
type panickingEvents struct{ graphql.ExecutableSchema }

func (p panickingEvents) Exec(ctx context.Context) graphql.ResponseHandler {
	if graphql.GetOperationContext(ctx).Operation.Operation != ast.Subscription {
		return p.ExecutableSchema.Exec(ctx)
	}
	events := 0
	return func(context.Context) *graphql.Response {
		if events++; events == 2 {
			panic("oh")
		}
		return &graphql.Response{Data: []byte(`{"events":1}`)}
	}
}

// A subscription that panics ends with an error after its events.
func TestPanicOfASubscription(t *testing.T) {
	s := newServer(t, func(cfg *gqlhttp.Config) { cfg.Schema = panickingEvents{cfg.Schema} })
	params := map[string]any{"query": `subscription { videoStatsChanged(videoIds: ["1"]) { videoId } }`}
	c := s.connect(t)
	c.subscribe("1", params)
	require.Equal(t, "next", c.read().Type)
	require.Equal(t, "error", c.read().Type)
	c.subscribe("2", map[string]any{"query": "{ __typename }"})
	require.Equal(t, "next", c.read().Type)

	events := s.ask(t, "events", params)
	require.Equal(t, 2, strings.Count(events, "event: next"))
	require.Contains(t, events, `"message":"internal error"`)
	require.Contains(t, events, "event: complete")
}

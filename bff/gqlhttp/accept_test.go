package gqlhttp_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// The response has the media type that the client prefers; a client that accepts none of ours gets 406.
func TestAccept(t *testing.T) {
	s := newServer(t)
	for accept, want := range map[string]string{
		"":    "application/json; charset=utf-8",
		"*/*": "application/json; charset=utf-8",
		"application/json, application/graphql-response+json":       "application/json; charset=utf-8",
		"application/json;q=0.5, application/graphql-response+json": "application/graphql-response+json; charset=utf-8",
		"text/html, application/graphql-response+json;q=0.1":        "application/graphql-response+json; charset=utf-8",
		"text/event-stream":    "text/event-stream; charset=utf-8",
		"text/html":            "",
		"application/json;q=0": "",
	} {
		t.Run(accept, func(t *testing.T) {
			a := s.send(t, http.MethodPost, "", `{"query": "{ __typename }"}`, "Accept", accept)
			if want == "" {
				require.Equal(t, http.StatusNotAcceptable, a.status, a.text)
				return
			}
			require.Equal(t, http.StatusOK, a.status, a.text)
			require.Equal(t, want, a.header.Get("Content-Type"))
		})
	}
}

package bff

import (
	"net/http"

	"minidouyin/bff/middleware"
)

// welcome answers the root with where to go on.
func welcome(w http.ResponseWriter, _ *http.Request) {
	middleware.WriteText(w, http.StatusOK, `minidouyin

  POST /graphql      the graph: {"query": "{ feed(first: 3) { nodes { title playUrl author { name } } } }"}
  GET  /playground   explore the graph, unless --no-introspection
  GET  /douyin/feed/ the REST routes of the original app
  GET  /healthz      the process is alive
  GET  /readyz       the services behind it answer
`)
}

package gqlhttp_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// A variable that may be null and has a default value may stand where null may not. An explicit null there is a request
// error in the words of graphql-js, over every transport, and nothing is executed.
func TestNullsOfVariables(t *testing.T) {
	const ifNull = `Argument \"if\" of non-null type \"Boolean!\" must not be null.`
	for _, c := range []struct {
		name, query, says string
		variables         map[string]any
	}{
		{"@include of a field", `query($a: Boolean = true) { __typename @include(if: $a) }`, ifNull, map[string]any{"a": nil}},
		{"@skip of a field", `query($a: Boolean = false) { __typename @skip(if: $a) }`, ifNull, map[string]any{"a": nil}},
		{"@include of an inline fragment", `query($a: Boolean = true) { ... @include(if: $a) { __typename } }`, ifNull, map[string]any{"a": nil}},
		{"@include of a fragment spread", `query($a: Boolean = true) { ...F @include(if: $a) } fragment F on Query { __typename }`, ifNull, map[string]any{"a": nil}},
		{"within a fragment", `query($a: Boolean = true) { ...F } fragment F on Query { feed { nodes { title @skip(if: $a) } } }`, ifNull, map[string]any{"a": nil}},
		{"@include of a subscription", `subscription($a: Boolean = true) { videoStatsChanged(videoIds: ["1"]) @include(if: $a) { videoId } }`,
			ifNull, map[string]any{"a": nil}},
		{"@skip of a subscription's fragment", `subscription($a: Boolean = false) { ... @skip(if: $a) { videoStatsChanged(videoIds: ["1"]) { videoId } } }`,
			ifNull, map[string]any{"a": nil}},
		{"an argument", `query($id: ID = "1") { node(id: $id) { id } }`, `Argument \"id\" of non-null type \"ID!\" must not be null.`, map[string]any{"id": nil}},
		{"an item of a list", `subscription($id: ID = "1") { videoStatsChanged(videoIds: ["2", $id]) { videoId } }`,
			`Argument \"videoIds\" has invalid value [\"2\", $id].`, map[string]any{"id": nil}},
		{"an argument that is an input", `mutation($in: LoginInput = {name: "n", password: "p"}) { login(input: $in) { token } }`,
			`Argument \"input\" of non-null type \"LoginInput!\" must not be null.`, map[string]any{"in": nil}},
		{"a field of an input", `mutation($name: String = "n") { login(input: {name: $name, password: "p"}) { token } }`,
			`Argument \"input\" has invalid value {name: $name, password: \"p\"}.`, map[string]any{"name": nil}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			params := map[string]any{"query": c.query, "variables": c.variables}
			check := func(answer string) {
				t.Helper()
				require.Contains(t, answer, `"message":"`+c.says+`"`)
				require.Contains(t, answer, `"locations":[{"line":1,`)
				require.NotContains(t, answer, `"data"`)
			}
			one := s.send(t, http.MethodPost, "", text(t, params), "Accept", "application/graphql-response+json")
			require.Equal(t, http.StatusBadRequest, one.status)
			check(one.text)
			check(s.send(t, http.MethodPost, "", "["+text(t, params)+"]").text)
			for _, over := range []string{"socket", "events"} {
				check(s.ask(t, over, params))
			}
			require.Zero(t, s.schema.executed.Load())
		})
	}
}

// A null that no field needs is no error, and neither is one where the schema takes it.
func TestNullsThatAreTaken(t *testing.T) {
	for name, query := range map[string]string{
		"in a field that is left out":  `query($id: ID = "1") { __typename node(id: $id) @include(if: false) { id } }`,
		"in a fragment that is no use": `query($id: ID = "1") { __typename ...F @skip(if: true) } fragment F on Query { node(id: $id) { id } }`,
		"where null is taken":          `query($id: ID = "1") { __typename user(id: $id) { name } }`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			answer := s.query(t, query, map[string]any{"id": nil})
			require.NotContains(t, answer.text, "must not be null")
			require.Contains(t, answer.text, `"data":{"__typename":"Query"`)
		})
	}
}

// Package httpcache decides who may keep a response and for how long, and lets concurrent anonymous requests share one.
package httpcache

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// hintDirective is the directive of the schema with the cache hints of fields and types.
const hintDirective = "cacheControl"

// policy is how long a response may be kept, and by whom.
type policy struct {
	maxAge  int // seconds, 0 = not at all
	private bool
}

// policyOf returns the policy of an operation: the strictest hint of all that it selects.
func policyOf(schema *ast.Schema, operation *graphql.OperationContext) policy {
	if operation.Operation.Operation != ast.Query {
		return policy{}
	}
	h := hints{schema: schema, variables: operation.Variables, maxAge: -1}
	h.selection(operation.Operation.SelectionSet, true)
	return policy{max(h.maxAge, 0), h.private}
}

// cacheControl returns the header of a response to GET, "" if it may not be kept. Only an authenticated user may keep the
// user's responses, and must revalidate them: they show what the user has just changed.
func (p policy) cacheControl(anonymous bool) string {
	switch {
	case p.maxAge == 0:
		return ""
	case !anonymous:
		return "private, no-cache"
	case p.private:
		return fmt.Sprintf("private, max-age=%d", p.maxAge)
	default:
		return fmt.Sprintf("public, max-age=%d, stale-while-revalidate=%d", p.maxAge, p.maxAge)
	}
}

// hints collects the hints of a selection.
type hints struct {
	schema    *ast.Schema
	variables map[string]any
	maxAge    int // the least so far, -1 = none
	private   bool
}

func (h *hints) selection(set ast.SelectionSet, root bool) {
	for _, selected := range set {
		switch selected := selected.(type) {
		case *ast.Field:
			h.field(selected, root)
		case *ast.InlineFragment:
			h.fragment(selected.TypeCondition, selected.Directives, selected.SelectionSet, root)
		case *ast.FragmentSpread:
			h.fragment(selected.Definition.TypeCondition, selected.Directives, selected.Definition.SelectionSet, root)
		}
	}
}

func (h *hints) fragment(typ string, directives ast.DirectiveList, set ast.SelectionSet, root bool) {
	if h.leftOut(directives) {
		return
	}
	if definition := h.schema.Types[typ]; definition != nil {
		h.hint(definition.Directives)
	}
	h.selection(set, root)
}

func (h *hints) field(field *ast.Field, root bool) {
	if h.leftOut(field.Directives) || field.Name == "__typename" {
		return
	}
	hinted := h.hint(field.Definition.Directives)
	if definition := h.schema.Types[field.Definition.Type.Name()]; !hinted && definition != nil {
		hinted = h.hint(definition.Directives)
	}
	if root && !hinted {
		h.atMost(0)
	}
	h.selection(field.SelectionSet, false)
}

// hint applies the hint of the directives and reports whether it has a maxAge.
func (h *hints) hint(directives ast.DirectiveList) bool {
	hint := directives.ForName(hintDirective)
	if hint == nil {
		return false
	}
	if scope := hint.Arguments.ForName("scope"); scope != nil && scope.Value.Raw == "PRIVATE" {
		h.private = true
	}
	maxAge := hint.Arguments.ForName("maxAge")
	if maxAge == nil {
		return false
	}
	seconds, err := strconv.Atoi(maxAge.Value.Raw)
	if err != nil {
		seconds = 0 // not a number that the schema may have
	}
	h.atMost(seconds)
	return true
}

func (h *hints) atMost(seconds int) {
	if h.maxAge < 0 || seconds < h.maxAge {
		h.maxAge = seconds
	}
}

// leftOut reports whether @skip or @include leave a selection out.
func (h *hints) leftOut(directives ast.DirectiveList) bool {
	for name, leavesOut := range map[string]bool{"skip": true, "include": false} {
		if directive := directives.ForName(name); directive != nil && directive.ArgumentMap(h.variables)["if"] == leavesOut {
			return true
		}
	}
	return false
}

// Write answers GET with a response that may be kept, and with 304 if the client has it.
func Write(w http.ResponseWriter, r *http.Request, media, cacheControl string, text []byte) {
	sum := sha256.Sum256(append([]byte(media), text...))
	w.Header().Set("Content-Type", media+"; charset=utf-8")
	w.Header().Set("Cache-Control", cacheControl)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
}

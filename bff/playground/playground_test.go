package playground_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"minidouyin/bff/playground"
	"minidouyin/graph"
)

func get(path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	playground.Handler().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

// The page is revalidated on each request; its assets are immutable.
func TestHandler(t *testing.T) {
	page := get("/playground")
	require.Equal(t, http.StatusOK, page.Code)
	require.Equal(t, "no-cache", page.Header().Get("Cache-Control"))
	require.Contains(t, page.Header().Get("Content-Security-Policy"), "default-src 'none'; script-src 'self';")
	require.Equal(t, page.Body.String(), get("/playground/").Body.String())

	assets := regexp.MustCompile(`/playground/assets/[^"]+`).FindAllString(page.Body.String(), -1)
	require.NotEmpty(t, assets)
	for _, path := range assets {
		asset := get(path)
		require.Equal(t, http.StatusOK, asset.Code, path)
		require.Equal(t, "public, max-age=31536000, immutable", asset.Header().Get("Cache-Control"), path)
		require.Contains(t, asset.Header().Get("Content-Type"), map[string]string{".js": "javascript", ".css": "css"}[filepath.Ext(path)])
	}
	for _, path := range []string{"/playground/assets/", "/playground/assets/none.js", "/playground/index.html", "/playground/src/main.jsx"} {
		missing := get(path)
		require.Equal(t, http.StatusNotFound, missing.Code, path)
		require.NotContains(t, missing.Header().Get("Cache-Control"), "immutable", path)
	}
}

// The example operations are valid in the schema.
func TestExamples(t *testing.T) {
	examples, err := filepath.Glob("src/examples/*.graphql")
	require.NoError(t, err)
	require.NotEmpty(t, examples)
	schema := graph.NewSchema(graph.Config{}).Schema()
	for _, path := range examples {
		document, err := os.ReadFile(path)
		require.NoError(t, err)
		_, problems := gqlparser.LoadQueryWithRules(schema, string(document), rules.NewDefaultRules())
		require.Empty(t, problems, path)
	}
}

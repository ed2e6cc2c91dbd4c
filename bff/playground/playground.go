// Package playground is a page to explore the graph with: GraphiQL, with a box to sign in and example operations in
// tabs. It asks nobody but this server. The page is built from src into dist by make playground.
package playground

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed dist
var dist embed.FS

// policy lets the page load and ask only what this server serves. The editor sets styles as it draws, and brings its
// fonts and pictures within its style sheet.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"font-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler serves the page at /playground and what it loads below /playground/assets/, whose names change with their
// content.
func Handler() http.Handler {
	site, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // only for a path that is none
	}
	files := http.StripPrefix("/playground", http.FileServerFS(site))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cache-Control", "no-cache")
		name, isAsset := strings.CutPrefix(r.URL.Path, "/playground/assets/")
		switch {
		case r.URL.Path == "/playground", r.URL.Path == "/playground/":
			http.ServeFileFS(w, r, site, "index.html")
		case isAsset && name != "":
			if _, err := fs.Stat(site, "assets/"+name); err == nil {
				header.Set("Cache-Control", "public, max-age=31536000, immutable")
			}
			files.ServeHTTP(w, r)
		default:
			http.NotFound(w, r)
		}
	})
}

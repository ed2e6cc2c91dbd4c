// Package playground serves a page to explore the GraphQL API: GraphiQL with a sign-in form, and example operations in
// tabs. It sends requests to this server only. `make playground` builds it from src into dist.
package playground

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed dist
var dist embed.FS

// policy is the Content-Security-Policy: the page loads from this server only. The editor needs inline styles, and
// data: URLs for fonts and images.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"font-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler returns the handler of the page at /playground and of its assets below /playground/assets/. The names of the
// assets have a hash of their content, so clients may cache them forever.
func Handler() http.Handler {
	site, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // fs.Sub fails for an invalid path only
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

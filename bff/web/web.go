// Package web is the client for people: a page in the browser that watches, likes, comments, follows, chats and
// publishes, all through the graph. It is built from src into dist by make web, and asks nobody but this server.
package web

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"minidouyin/idl/codes"
)

//go:embed dist
var dist embed.FS

// Documents is the manifest of the operations that the page sends, to be trusted: their texts by their SHA-256.
//
//go:embed src/gql/persisted-documents.json
var Documents []byte

// Config is what the page stands on.
type Config struct {
	// Origins are those that files come from beside the page's own, such as https://video.example.org.
	Origins []string
	// Video tells what a link to a video shows before it is opened. A NotFound error says that there is no such video.
	Video func(ctx context.Context, id string) (About, error)
}

// About is what a link tells of itself where it is shared.
type About struct {
	Title, Author, Cover, Page string // Cover and Page are absolute URLs
}

// routes are the addresses of the page, beside that of a video. What is shown there the page finds out by itself.
var routes = []string{"/", "/user/{id}", "/me", "/messages", "/messages/{id}", "/publish", "/sign-in"}

var about = template.Must(template.New("about").Parse(`<title>{{.Title}} · {{.Author}}</title>
    <meta name="description" content="{{.Title}} · {{.Author}}" />
    <link rel="canonical" href="{{.Page}}" />
    <meta property="og:type" content="video.other" />
    <meta property="og:site_name" content="minidouyin" />
    <meta property="og:title" content="{{.Title}}" />
    <meta property="og:description" content="@{{.Author}}" />
    <meta property="og:image" content="{{.Cover}}" />
    <meta property="og:url" content="{{.Page}}" />
    <meta name="twitter:card" content="summary_large_image" />`))

// Handler serves the page at its addresses, and what it loads. It fails when the page was not built.
func Handler(cfg Config) (http.Handler, error) {
	files, err := readFiles()
	if err != nil {
		return nil, err
	}
	start, rest, found := bytes.Cut(files["/index.html"].plain, []byte("<!--about-->"))
	standard, end, complete := bytes.Cut(rest, []byte("<!--/about-->"))
	if !found || !complete {
		return nil, errors.New("the page has no place for what it is about")
	}
	p := page{cfg: cfg, policy: policy(cfg.Origins), start: start, standard: standard, end: end}

	r := chi.NewRouter()
	serve := func(route string, handler http.HandlerFunc) {
		r.Get(route, handler)
		r.Head(route, handler)
	}
	for _, route := range routes {
		serve(route, func(w http.ResponseWriter, _ *http.Request) { p.write(w, http.StatusOK, p.standard) })
	}
	serve("/video/{id}", p.video)
	for name, file := range files {
		if name != "/index.html" {
			serve(name, file.ServeHTTP)
		}
	}
	return r, nil
}

// policy lets the page load and ask only what this server serves, and files from where they lie.
func policy(origins []string) string {
	files := strings.Join(append([]string{"'self'", "blob:"}, origins...), " ")
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src " + files + " data:; media-src " + files +
		"; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// page is the only one there is, with a place for what it is about.
type page struct {
	cfg                  Config
	policy               string
	start, standard, end []byte
}

// video serves the page with what a shared link tells. Where that cannot be found out, the page will say why.
func (p page) video(w http.ResponseWriter, r *http.Request) {
	found, err := p.cfg.Video(r.Context(), chi.URLParam(r, "id"))
	switch codes.Of(err) {
	case codes.NotFound, codes.InvalidArgument:
		p.write(w, http.StatusNotFound, p.standard)
		return
	}
	var text bytes.Buffer
	if err != nil || about.Execute(&text, found) != nil {
		p.write(w, http.StatusOK, p.standard)
		return
	}
	p.write(w, http.StatusOK, text.Bytes())
}

func (p page) write(w http.ResponseWriter, status int, about []byte) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", p.policy)
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Permissions-Policy", "camera=(self), microphone=(self), geolocation=()")
	header.Set("Cache-Control", "no-cache")
	w.WriteHeader(status)
	for _, part := range [][]byte{p.start, about, p.end} {
		_, _ = w.Write(part) // the client may be gone
	}
}

// file is one that the page loads, in the forms it was built in.
type file struct {
	name, cache         string
	plain, gzip, brotli []byte
}

// contentTypes by extension, for every file of the page.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".html": "text/html; charset=utf-8",
	".png": "image/png", ".svg": "image/svg+xml", ".webmanifest": "application/manifest+json",
}

// readFiles returns the files of the page by their paths.
func readFiles() (map[string]*file, error) {
	files := map[string]*file{}
	err := fs.WalkDir(dist, "dist", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := dist.ReadFile(name)
		if err != nil {
			return err
		}
		url := strings.TrimPrefix(name, "dist")
		plain := strings.TrimSuffix(strings.TrimSuffix(url, ".gz"), ".br")
		f := files[plain]
		if f == nil {
			f = &file{name: plain, cache: "public, max-age=86400"}
			files[plain] = f
		}
		if strings.HasPrefix(plain, "/assets/") { // the names there change with the content
			f.cache = "public, max-age=31536000, immutable"
		}
		switch path.Ext(url) {
		case ".gz":
			f.gzip = content
		case ".br":
			f.brotli = content
		default:
			f.plain = content
		}
		return nil
	})
	if err == nil && files["/index.html"] == nil {
		err = errors.New("there is no page")
	}
	if err != nil {
		return nil, fmt.Errorf("read the web client: %w", err)
	}
	return files, nil
}

// ServeHTTP serves the file in the smallest form that the client takes.
func (f *file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", contentTypes[path.Ext(f.name)])
	header.Set("Cache-Control", f.cache)
	content := f.plain
	if f.gzip != nil {
		header.Add("Vary", "Accept-Encoding")
		switch taken := acceptedEncodings(r); {
		case slices.Contains(taken, "br"):
			content = f.brotli
			header.Set("Content-Encoding", "br")
		case slices.Contains(taken, "gzip"):
			content = f.gzip
			header.Set("Content-Encoding", "gzip")
		}
	}
	http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(content))
}

// acceptedEncodings returns the content codings that the client takes, without those that it refuses by q=0.
func acceptedEncodings(r *http.Request) (taken []string) {
	for _, part := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		coding, weight, _ := strings.Cut(strings.ReplaceAll(part, " ", ""), ";")
		if strings.Trim(strings.TrimPrefix(weight, "q="), "0.") != "" || weight == "" {
			taken = append(taken, strings.ToLower(coding))
		}
	}
	return taken
}

// Package web serves the web client: a single-page application that uses the GraphQL API. `make web` builds it from src
// into dist. It sends requests to this server only; videos and pictures may come from the media origins.
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

// Documents is the manifest of the client's persisted documents: a JSON object of their texts by SHA-256 hash.
//
//go:embed src/gql/persisted-documents.json
var Documents []byte

// Config configures the web client.
type Config struct {
	// Origins are the origins of videos and pictures, besides the origin of the page. Example: https://video.example.org
	Origins []string
	// Video returns the metadata of a video by its ID. It returns a NotFound error if there is no such video.
	Video func(ctx context.Context, id string) (About, error)
}

// About is the metadata of a video, which other sites show as a preview of a shared link.
type About struct {
	Title, Author, Cover, Page string // Cover and Page are absolute URLs
}

// routes are the routes of the client that respond with the page, except /video/{id}. The client renders them.
var routes = []string{"/", "/user/{id}", "/me", "/messages", "/messages/{id}", "/publish", "/sign-in"}

// metaTags renders an About for the head of the page.
var metaTags = template.Must(template.New("meta").Parse(`<title>{{.Title}} · {{.Author}}</title>
    <meta name="description" content="{{.Title}} · {{.Author}}" />
    <link rel="canonical" href="{{.Page}}" />
    <meta property="og:type" content="video.other" />
    <meta property="og:site_name" content="minidouyin" />
    <meta property="og:title" content="{{.Title}}" />
    <meta property="og:description" content="@{{.Author}}" />
    <meta property="og:image" content="{{.Cover}}" />
    <meta property="og:url" content="{{.Page}}" />
    <meta name="twitter:card" content="summary_large_image" />`))

// Handler returns the handler of the page and its assets. It returns an error if dist has no page.
func Handler(cfg Config) (http.Handler, error) {
	files, err := readFiles()
	if err != nil {
		return nil, err
	}
	before, rest, found := bytes.Cut(files["/index.html"].plain, []byte("<!--about-->"))
	title, after, complete := bytes.Cut(rest, []byte("<!--/about-->"))
	if !found || !complete {
		return nil, errors.New("index.html has no <!--about--> section")
	}
	p := page{cfg: cfg, policy: contentSecurityPolicy(cfg.Origins), before: before, title: title, after: after}

	r := chi.NewRouter()
	serve := func(route string, handler http.HandlerFunc) {
		r.Get(route, handler)
		r.Head(route, handler)
	}
	for _, route := range routes {
		serve(route, func(w http.ResponseWriter, _ *http.Request) { p.write(w, http.StatusOK, p.title) })
	}
	serve("/video/{id}", p.video)
	for name, file := range files {
		if name != "/index.html" {
			serve(name, file.ServeHTTP)
		}
	}
	return r, nil
}

// contentSecurityPolicy returns a policy that allows scripts, styles and requests of this server only, and media of the
// given origins too.
func contentSecurityPolicy(origins []string) string {
	media := strings.Join(append([]string{"'self'", "blob:"}, origins...), " ")
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src " + media + " data:; media-src " + media +
		"; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// page is index.html, split around the section that metaTags replaces.
type page struct {
	cfg                  Config
	policy               string
	before, title, after []byte // title is the section without metadata
}

// video responds with the page and the metadata of a video. If the metadata is unavailable, it responds with the plain
// page, which shows the error.
func (p page) video(w http.ResponseWriter, r *http.Request) {
	about, err := p.cfg.Video(r.Context(), chi.URLParam(r, "id"))
	switch codes.Of(err) {
	case codes.NotFound, codes.InvalidArgument:
		p.write(w, http.StatusNotFound, p.title)
		return
	}
	var tags bytes.Buffer
	if err != nil || metaTags.Execute(&tags, about) != nil {
		p.write(w, http.StatusOK, p.title)
		return
	}
	p.write(w, http.StatusOK, tags.Bytes())
}

// write responds with the page and the given title section.
func (p page) write(w http.ResponseWriter, status int, title []byte) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", p.policy)
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Permissions-Policy", "camera=(self), microphone=(self), geolocation=()")
	header.Set("Cache-Control", "no-cache")
	w.WriteHeader(status)
	for _, part := range [][]byte{p.before, title, p.after} {
		_, _ = w.Write(part) // an error means that the client has disconnected
	}
}

// file is an asset, and its compressed variants if it has any.
type file struct {
	name, cache         string
	plain, gzip, brotli []byte
}

// contentTypes has the content type of each extension in dist.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".html": "text/html; charset=utf-8",
	".png": "image/png", ".svg": "image/svg+xml", ".webmanifest": "application/manifest+json",
}

// readFiles returns the files of dist by their URL path.
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
		if strings.HasPrefix(plain, "/assets/") { // these names have a hash of the content
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
		err = errors.New("dist/index.html is missing")
	}
	if err != nil {
		return nil, fmt.Errorf("read the web client: %w", err)
	}
	return files, nil
}

// ServeHTTP serves the smallest variant of the file that the client accepts.
func (f *file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", contentTypes[path.Ext(f.name)])
	header.Set("Cache-Control", f.cache)
	content := f.plain
	if f.gzip != nil {
		header.Add("Vary", "Accept-Encoding")
		switch accepted := acceptedEncodings(r); {
		case slices.Contains(accepted, "br"):
			content = f.brotli
			header.Set("Content-Encoding", "br")
		case slices.Contains(accepted, "gzip"):
			content = f.gzip
			header.Set("Content-Encoding", "gzip")
		}
	}
	http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(content))
}

// acceptedEncodings returns the content codings of the Accept-Encoding header, except those with q=0.
func acceptedEncodings(r *http.Request) (codings []string) {
	for _, part := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		coding, weight, _ := strings.Cut(strings.ReplaceAll(part, " ", ""), ";")
		if strings.Trim(strings.TrimPrefix(weight, "q="), "0.") != "" || weight == "" {
			codings = append(codings, strings.ToLower(coding))
		}
	}
	return codings
}

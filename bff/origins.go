package bff

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/cors"
	"github.com/go-chi/httprate"
)

// clientIP is middleware that finds out the client's address: behind proxies that are trusted it is the one they name.
func clientIP(trustedProxies []string) func(http.Handler) http.Handler {
	if len(trustedProxies) == 0 {
		return middleware.ClientIPFromRemoteAddr
	}
	return middleware.ClientIPFromXFF(trustedProxies...)
}

// addressOf returns the client's address as it is counted.
func addressOf(r *http.Request) string {
	return httprate.CanonicalizeIP(middleware.GetClientIP(r.Context()))
}

// crossOrigin is middleware that lets the pages of other sites read our answers. Tokens travel in headers, so no
// credentials of the browser are needed.
func crossOrigin(origins []string) func(http.Handler) http.Handler {
	if len(origins) == 0 { // which for the package below means all
		return func(next http.Handler) http.Handler { return next }
	}
	return cors.Handler(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost},
		AllowedHeaders: []string{"Authorization", "Content-Type", "X-Requested-With", "Apollo-Require-Preflight"},
		ExposedHeaders: []string{"X-Request-Id", "Retry-After", "RateLimit-Limit", "RateLimit-Remaining", headerReset},
		MaxAge:         600,
	})
}

// secure is middleware that tells browsers what not to do with our answers.
func secure(publicURL string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			header := w.Header()
			header.Set("X-Content-Type-Options", "nosniff")
			header.Set("X-Frame-Options", "DENY")
			header.Set("Referrer-Policy", "no-referrer") // REST has tokens in its URLs
			if strings.HasPrefix(publicURL, "https://") {
				header.Set("Strict-Transport-Security", "max-age=31536000")
			}
			next.ServeHTTP(w, r)
		})
	}
}

// noContent is middleware for answers that no browser has to show: were one shown as a page, it could load nothing.
func noContent(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}

// formOrigins returns the origins whose pages may send forms: those allowed, and our own as the outside knows it.
func (c *Config) formOrigins() []string {
	if own := originOf(c.PublicURL); own != "" {
		return append([]string{own}, c.CORSOrigins...)
	}
	return c.CORSOrigins
}

// originOf returns the origin of a URL, "" where there is none.
func originOf(publicURL string) string {
	u, err := url.Parse(publicURL)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

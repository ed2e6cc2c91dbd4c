package auth

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"minidouyin/bff/middleware"
	"minidouyin/idl/codes"
)

// sessionCookie is the cookie in which a browser keeps a token, which scripts cannot read there.
const sessionCookie = "session"

// Cookie is middleware that authenticates requests without an Authorization header from the session cookie. An invalid
// cookie is cleared and the request continues anonymously. Browsers do not send the cookie for pages of other sites, as
// it is SameSite=Strict; csrf.go of gqlhttp refuses those of other origins of the same site.
func (s *Sessions) Cookie(secure bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Vary", "Cookie")
			cookie, err := r.Cookie(sessionCookie)
			if err != nil || r.Header.Get("Authorization") != "" {
				next.ServeHTTP(w, r)
				return
			}
			ctx, err := s.Authenticate(r.Context(), cookie.Value)
			if err != nil {
				s.setCookie(w, r, secure, "", time.Unix(1, 0))
				next.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

// Keep answers POST /session: it stores the token of {"token": …} in the cookie, which expires with the token.
func (s *Sessions) Keep(secure bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Token string `json:"token"`
		}
		media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
		if media != "application/json" {
			middleware.WriteText(w, http.StatusUnsupportedMediaType, "the Content-Type must be application/json\n")
			return
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 8<<10)).Decode(&body); err != nil {
			middleware.WriteText(w, http.StatusBadRequest, "a JSON object with a token is needed\n")
			return
		}
		ctx, err := s.Authenticate(r.Context(), body.Token)
		if err != nil {
			middleware.WriteText(w, http.StatusUnauthorized, codes.Message(err)+"\n")
			return
		}
		s.setCookie(w, r, secure, body.Token, ExpiresAt(ctx))
		w.WriteHeader(http.StatusNoContent)
	}
}

// Forget answers DELETE /session: it clears the cookie.
func (s *Sessions) Forget(secure bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.setCookie(w, r, secure, "", time.Unix(1, 0))
		w.WriteHeader(http.StatusNoContent)
	}
}

// setCookie sets the cookie; a past expiry clears it.
func (s *Sessions) setCookie(w http.ResponseWriter, r *http.Request, secure bool, token string, expires time.Time) {
	w.Header().Set("Cache-Control", "no-store")
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: token, Path: "/", Expires: expires.UTC(),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: secure || r.TLS != nil,
	})
}

// SameOrigin returns middleware that refuses writes from pages of other origins.
func SameOrigin(publicURL string) (func(http.Handler) http.Handler, error) {
	origins := http.NewCrossOriginProtection()
	if origin := middleware.OriginOf(publicURL); origin != "" {
		if err := origins.AddTrustedOrigin(origin); err != nil {
			return nil, err
		}
	}
	return origins.Handler, nil
}

// Package auth authenticates requests: by a token, or by the cookie in which a browser keeps one.
package auth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"minidouyin/bff/middleware"
	"minidouyin/graph"
	"minidouyin/idl/codes"
)

// MinKeyBytes is how long a signing key is at least.
const MinKeyBytes = 32

const tokenIssuer = "minidouyin"

// Sessions issues and checks tokens.
type Sessions struct {
	key    []byte
	ttl    time.Duration
	parser *jwt.Parser
}

// NewSessions returns sessions whose tokens are valid for ttl. They are signed with key; if that is empty, with the key in
// the folder, which the first start creates.
func NewSessions(key, folder string, ttl time.Duration) (*Sessions, error) {
	secret := []byte(key)
	if len(secret) == 0 {
		var err error
		if secret, err = storedKey(filepath.Join(folder, "jwt.key")); err != nil {
			return nil, err
		}
	}
	return &Sessions{key: secret, ttl: ttl, parser: jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}),
		jwt.WithIssuer(tokenIssuer), jwt.WithExpirationRequired())}, nil
}

func storedKey(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		raw := make([]byte, MinKeyBytes)
		_, _ = rand.Read(raw) // never fails
		text = []byte(base64.StdEncoding.EncodeToString(raw))
		err = writeKey(path, text)
	}
	if err != nil {
		return nil, fmt.Errorf("keep the signing key: %w", err)
	}
	if len(text) < MinKeyBytes {
		return nil, fmt.Errorf("the signing key in %s is too short; remove the file, and everybody has to sign in again", path)
	}
	return text, nil
}

// writeKey writes the key atomically: a crash leaves all of it or none. The next start overwrites a temporary file.
func writeKey(path string, text []byte) error {
	temp, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = temp.Write(text)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// Issue returns a token of a user and its expiry.
func (s *Sessions) Issue(userID int64) (token string, expiresAt time.Time, err error) {
	now := time.Now()
	expiresAt = now.Add(s.ttl)
	token, err = jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		Issuer: tokenIssuer, Subject: strconv.FormatInt(userID, 10),
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expiresAt),
	}).SignedString(s.key)
	return token, expiresAt, err
}

// Authenticate returns a context with the user of a token. An invalid token is Unauthenticated.
func (s *Sessions) Authenticate(ctx context.Context, token string) (context.Context, error) {
	var claims jwt.RegisteredClaims
	_, err := s.parser.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return s.key, nil })
	userID, errID := strconv.ParseInt(claims.Subject, 10, 64)
	if err != nil || errID != nil || userID <= 0 {
		return nil, codes.Errorf(codes.Unauthenticated, "the token is invalid or has expired, please sign in again")
	}
	ctx = context.WithValue(ctx, expiryKey{}, claims.ExpiresAt.Time)
	return graph.WithViewer(ctx, userID), nil
}

type expiryKey struct{}

// ExpiresAt returns when the caller's token expires; zero for an anonymous request.
func ExpiresAt(ctx context.Context) time.Time {
	at, _ := ctx.Value(expiryKey{}).(time.Time)
	return at
}

// Bearer is middleware that reads the Authorization header. A request with an invalid token is refused.
func (s *Sessions) Bearer(refuse middleware.Refuse) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			header := r.Header.Get("Authorization")
			if header == "" {
				next.ServeHTTP(w, r)
				return
			}
			scheme, token, _ := strings.Cut(header, " ")
			if !strings.EqualFold(scheme, "Bearer") {
				token = ""
			}
			ctx, err := s.Authenticate(r.Context(), strings.TrimSpace(token))
			if err != nil {
				refuse(w, r, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

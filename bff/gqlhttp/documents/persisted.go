// Package documents finds the documents that clients name instead of sending them.
package documents

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/redis/go-redis/v9"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
	"golang.org/x/time/rate"

	"minidouyin/bff/gqlhttp/guard"
	"minidouyin/bff/redisguard"
	"minidouyin/idl/codes"
)

const (
	maxPersistedText  = 32 << 10 // bytes of one document that clients may leave here
	maxPersistedTexts = 8 << 20  // bytes of all of them
	persistedOverhead = 256      // bytes that each takes beside its text

	persistedKey  = "douyin:document:" // of Redis, before the hash
	persistedTime = 6 * time.Hour      // that Redis keeps a document
	persistedRate = 2 << 10            // bytes a second that a process writes there for long: 42 MiB in six hours

	// ExtensionDocumentID is where the parameter documentId is kept among the extensions of an operation.
	ExtensionDocumentID = "documentId"
	// CodeNotPersisted is the code of the error after which clients of automatic persisted queries send the text.
	CodeNotPersisted = "PERSISTED_QUERY_NOT_FOUND"
)

// Trusted are documents that are known before anybody asks, by the hex SHA-256 of their text.
type Trusted map[string]string

// ReadTrusted reads a manifest: a JSON object of document texts by their SHA-256, as graphql-codegen's client preset
// writes it with persistedDocuments and hashAlgorithm sha256. Each document must be valid and within the limits; the
// error names the entry that is not.
func ReadTrusted(schema *ast.Schema, limits guard.Limits, manifest []byte) (Trusted, error) {
	var texts map[string]string
	if err := json.Unmarshal(manifest, &texts); err != nil || texts == nil {
		return nil, errors.New("not a JSON object of document texts by their SHA-256")
	}
	trusted := Trusted{}
	for _, id := range slices.Sorted(maps.Keys(texts)) {
		if err := checkTrusted(schema, limits, texts[id]); err != nil {
			return nil, fmt.Errorf("entry %q: %w", id, err)
		}
		hash := hashOf(texts[id])
		if bareHash(id) != hash {
			return nil, fmt.Errorf("entry %q: the SHA-256 of its text is %s", id, hash)
		}
		trusted[hash] = texts[id]
	}
	return trusted, nil
}

func checkTrusted(schema *ast.Schema, limits guard.Limits, text string) error {
	if err := guard.CheckText(limits, text); err != nil {
		return err
	}
	document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, limits.Tokens)
	if err != nil {
		return err
	}
	if len(document.Operations) == 0 {
		return errors.New("no operation")
	}
	if err := guard.CheckDocument(limits, document); err != nil {
		return err
	}
	if errs := validator.ValidateWithRules(schema, document, rules.NewDefaultRules()); len(errs) > 0 {
		return errs[0]
	}
	return nil
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// bareHash returns the hash of an id such as sha256:<hex>.
func bareHash(id string) string { return strings.ToLower(strings.TrimPrefix(id, "sha256:")) }

// Persisted finds the documents that clients name instead of sending them: the trusted ones, and those that a client
// has sent before. Of the latter, those used last are kept here, within a number of bytes, and new ones for some
// hours in Redis, where the other processes find them.
type Persisted struct {
	trusted Trusted
	only    bool              // nothing but trusted documents is run
	redis   *redisguard.Redis // nil = none
	writes  *rate.Limiter     // of the bytes that are written there

	mu    sync.Mutex
	texts *simplelru.LRU[string, string]
	bytes int
}

// New returns the trusted documents, of which only is whether others are refused. redis nil = no other processes.
func New(trusted Trusted, only bool, redis *redisguard.Redis) *Persisted {
	p := &Persisted{trusted: trusted, only: only, redis: redis,
		writes: rate.NewLimiter(persistedRate, maxPersistedTexts)}
	// The number of documents follows from that of their bytes; the error is that of a size below 1.
	p.texts, _ = simplelru.NewLRU(maxPersistedTexts/persistedOverhead, func(_, text string) { p.bytes -= len(text) + persistedOverhead })
	return p
}

// resolve puts the text of the document into the parameters that name it, or says why the operation cannot be run. It
// may be called again on the same parameters.
func (p *Persisted) resolve(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	if id, named := params.Extensions[ExtensionDocumentID]; named {
		if refusal := p.resolveID(params, id); refusal != nil {
			return refusal
		}
	}
	hash, named, refusal := automaticHash(params)
	switch {
	case refusal != nil:
		return refusal
	case named && params.Query == "":
		return p.resolveHash(ctx, params, hash)
	case named && hashOf(params.Query) != hash:
		return refuse(codes.InvalidArgument, "the sha256Hash is not that of the query")
	}
	return p.checkTrust(params.Query)
}

// resolveID looks up the documentId.
func (p *Persisted) resolveID(params *graphql.RawParams, id any) *gqlerror.Error {
	name, _ := id.(string)
	text, ok := p.trusted[bareHash(name)]
	switch {
	case params.Query != "":
		return refuse(codes.InvalidArgument, "either a query or a documentId can be sent, not both")
	case !ok:
		return refuse(codes.NotFound, "there is no document with this documentId")
	}
	params.Query = text
	delete(params.Extensions, ExtensionDocumentID)
	return nil
}

// resolveHash looks up the hash of an automatic persisted query.
func (p *Persisted) resolveHash(ctx context.Context, params *graphql.RawParams, hash string) *gqlerror.Error {
	text, ok := p.trusted[hash]
	if !ok && p.only {
		return p.checkTrust("")
	}
	if !ok {
		p.mu.Lock()
		text, ok = p.texts.Get(hash)
		p.mu.Unlock()
	}
	if !ok {
		text, ok = p.shared(ctx, hash)
	}
	if !ok {
		return &gqlerror.Error{Message: "PersistedQueryNotFound", Extensions: map[string]any{"code": CodeNotPersisted}}
	}
	params.Query = text
	return nil
}

func (p *Persisted) checkTrust(text string) *gqlerror.Error {
	if !p.only {
		return nil
	}
	if _, ok := p.trusted[hashOf(text)]; !ok {
		return refuse(codes.PermissionDenied, "only trusted documents are run here")
	}
	return nil
}

// remember keeps the document of an automatic persisted query. Its parameters must have been resolved, and the document
// found valid.
func (p *Persisted) remember(ctx context.Context, params *graphql.RawParams) {
	hash, named, refusal := automaticHash(params)
	if !named || refusal != nil || p.only || len(params.Query) > maxPersistedText {
		return
	}
	if p.keep(hash, params.Query) && p.redis != nil && p.writes.AllowN(time.Now(), len(params.Query)) {
		// What cannot be kept there is sent again by a client of another process.
		_ = p.redis.Do(ctx, func(ctx context.Context, client redis.UniversalClient) error {
			return client.Set(ctx, persistedKey+hash, params.Query, persistedTime).Err()
		})
	}
}

// keep keeps a document in this process. It returns false when it was there before.
func (p *Persisted) keep(hash, text string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.texts.Contains(hash) {
		return false
	}
	for p.bytes+len(text)+persistedOverhead > maxPersistedTexts {
		p.texts.RemoveOldest()
	}
	p.bytes += len(text) + persistedOverhead
	p.texts.Add(hash, text)
	return true
}

// shared looks a document up in Redis. Others may write there: a text that is not the one of the hash is none.
func (p *Persisted) shared(ctx context.Context, hash string) (text string, ok bool) {
	if p.redis == nil {
		return "", false
	}
	err := p.redis.Do(ctx, func(ctx context.Context, client redis.UniversalClient) (err error) {
		text, err = client.Get(ctx, persistedKey+hash).Result()
		return err
	})
	return text, err == nil && hashOf(text) == hash
}

// automaticHash returns the hash by which an automatic persisted query is named.
func automaticHash(params *graphql.RawParams) (hash string, named bool, refusal *gqlerror.Error) {
	extension, named := params.Extensions["persistedQuery"]
	if !named || extension == nil {
		return "", false, nil
	}
	fields, _ := extension.(map[string]any)
	version, _ := fields["version"].(json.Number)
	hash, _ = fields["sha256Hash"].(string)
	if version != "1" || len(hash) != hex.EncodedLen(sha256.Size) {
		return "", false, refuse(codes.InvalidArgument, "persistedQuery has the version 1 and a sha256Hash")
	}
	return bareHash(hash), true, nil
}

func refuse(code codes.Code, message string) *gqlerror.Error {
	return gqlerror.Wrap(codes.Errorf(code, "%s", message))
}

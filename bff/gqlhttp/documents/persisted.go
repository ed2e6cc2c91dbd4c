// Package documents finds the documents that clients name instead of sending them.
package documents

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/redis/go-redis/v9"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"golang.org/x/time/rate"

	"minidouyin/idl/codes"
)

const (
	maxPersistedText  = 32 << 10 // bytes of one document that clients may leave here
	maxPersistedTexts = 8 << 20  // bytes of all of them
	persistedOverhead = 256      // bytes that each takes beside its text

	persistedKey     = "douyin:document:"     // of Redis, before the hash
	persistedTime    = 6 * time.Hour          // that Redis keeps a document
	persistedTimeout = 100 * time.Millisecond // of one command
	persistedRate    = 2 << 10                // bytes a second that a process writes there for long: 42 MiB in six hours

	// ExtensionDocumentID is where the parameter documentId is kept among the extensions of an operation.
	ExtensionDocumentID = "documentId"
	// CodeNotPersisted is the code of the error after which clients of automatic persisted queries send the text.
	CodeNotPersisted = "PERSISTED_QUERY_NOT_FOUND"
)

// Persisted finds documents by their name: the trusted ones by their documentId, those that a client has sent before by
// their hash, which are automatic persisted queries. This process keeps those used last, and Redis, where the other
// processes find them, the new ones for some hours.
type Persisted struct {
	trusted Trusted
	only    bool                  // no other than trusted documents are run
	redis   redis.UniversalClient // nil = none
	writes  *rate.Limiter         // of the bytes that are written there
	texts   *lru[string]          // by hash
}

// New returns the documents that clients may name. With only, no others than the trusted ones are run; without Redis,
// each process has its own.
func New(trusted Trusted, only bool, client redis.UniversalClient) *Persisted {
	return &Persisted{trusted: trusted, only: only, redis: client,
		writes: rate.NewLimiter(persistedRate, maxPersistedTexts), texts: newLRU[string](maxPersistedTexts)}
}

// resolve puts the text of a document into parameters that name it, and returns why they cannot be run. It may be
// repeated on the same parameters.
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
		text, ok = p.texts.get(hash)
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

// remember keeps the document of an automatic persisted query. Its parameters must be resolved and its document valid.
func (p *Persisted) remember(ctx context.Context, params *graphql.RawParams) {
	hash, named, refusal := automaticHash(params)
	if !named || refusal != nil || p.only || len(params.Query) > maxPersistedText {
		return
	}
	added := p.texts.add(hash, params.Query, len(params.Query)+persistedOverhead)
	if added && p.redis != nil && p.writes.AllowN(time.Now(), len(params.Query)) {
		// Clients of another process send again what could not be stored.
		ctx, cancel := context.WithTimeout(ctx, persistedTimeout)
		defer cancel()
		p.redis.Set(ctx, persistedKey+hash, params.Query, persistedTime)
	}
}

// shared reads a document from Redis. A text that does not have the hash is ignored: others may write there.
func (p *Persisted) shared(ctx context.Context, hash string) (text string, ok bool) {
	if p.redis == nil {
		return "", false
	}
	ctx, cancel := context.WithTimeout(ctx, persistedTimeout)
	defer cancel()
	text, err := p.redis.Get(ctx, persistedKey+hash).Result()
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

package documents

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"minidouyin/bff/gqlhttp/guard"
)

// Trusted are documents that clients may name from the start, by the hex SHA-256 of their text.
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

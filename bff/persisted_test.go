package bff_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"minidouyin/bff"
)

// manifestOf writes a manifest of one document and returns its path and the document's hash.
func manifestOf(tb testing.TB, query string) (path, hash string) {
	tb.Helper()
	sum := sha256.Sum256([]byte(query))
	hash = hex.EncodeToString(sum[:])
	manifest, err := json.Marshal(map[string]string{hash: query})
	require.NoError(tb, err)
	path = filepath.Join(tb.TempDir(), "documents.json")
	require.NoError(tb, os.WriteFile(path, manifest, 0o600))
	return path, hash
}

// With --trusted-only the graph runs the documents of the manifest alone, and the REST routes go on.
func TestTrustedOnly(t *testing.T) {
	manifest, hash := manifestOf(t, `query Feed { feed { nodes { title } } }`)
	s := newSite(t, func(cfg *bff.Config) { cfg.TrustedDocuments, cfg.TrustedOnly = manifest, true })
	s.register(t, "ann")
	s.ok(t, "GET", "/douyin/feed/")
	require.Contains(t, s.rest(t, "GET", "/graphql", "documentId", "sha256:"+hash).text, `{"data":{"feed":{"nodes":[]}}}`)
	require.Contains(t, s.graphql(t, "", `{ feed { nodes { title } } }`, nil).text, "PERMISSION_DENIED")
}

// A manifest that cannot be used is named before anything is opened.
func TestTrustedDocumentsAreChecked(t *testing.T) {
	invalid, hash := manifestOf(t, `{ nothing }`)
	base := bff.Config{Addr: "127.0.0.1:0", Data: "data", TokenTTL: 3600e9, MaxUpload: 1, ListLimit: 1}
	for _, c := range []struct {
		name, file string
		only       bool
		says       []string
	}{
		{"a file that is not there", "/nowhere.json", false, []string{"--trusted-documents", "/nowhere.json"}},
		{"an invalid document", invalid, false, []string{"--trusted-documents", hash, "nothing"}},
		{"none to trust", "", true, []string{"--trusted-only: needs --trusted-documents"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := base
			cfg.TrustedDocuments, cfg.TrustedOnly = c.file, c.only
			err := cfg.Validate()
			for _, says := range c.says {
				require.ErrorContains(t, err, says)
			}
		})
	}
	require.NoError(t, base.Validate())
}

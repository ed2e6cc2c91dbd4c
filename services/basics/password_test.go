package basics

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
)

// By default, a hash costs 19 MiB and two passes.
func TestDefaultPasswordCost(t *testing.T) {
	hash, err := newHasher(PasswordCost{}).hash(t.Context(), "secret")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("got %q, %v", hash, err)
	}
}

// A hash is checked with its own cost. An empty hash never matches. An invalid one is an error.
func TestMatches(t *testing.T) {
	hash, err := newHasher(PasswordCost{Time: 2, MemoryKiB: 16}).hash(t.Context(), "secret")
	if err != nil {
		t.Fatal(err)
	}
	h := newHasher(PasswordCost{Time: 1, MemoryKiB: 8})
	for _, c := range []struct {
		password, hash string
		ok, fails      bool
	}{
		{"secret", hash, true, false},
		{"Secret", hash, false, false},
		{"secret", "", false, false},
		{"", "", false, false},
		{"secret", "secret", false, true},
		{"secret", hash[:len(hash)-2], false, true},
		{"secret", strings.Replace(hash, "v=19", "v=16", 1), false, true},
	} {
		ok, err := h.matches(t.Context(), c.password, c.hash)
		if ok != c.ok || (err != nil) != c.fails {
			t.Errorf("%q, %q: got %t, %v", c.password, c.hash, ok, err)
		}
	}
}

// There are at most as many hashes at a time as processors. A wait for a slot ends with the context, also for an empty hash.
func TestHashingIsBounded(t *testing.T) {
	h := newHasher(PasswordCost{Time: 1, MemoryKiB: 8})
	if err := h.slots.Acquire(t.Context(), int64(runtime.GOMAXPROCS(0))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, hashErr := h.hash(ctx, "secret")
	_, matchErr := h.matches(ctx, "secret", "")
	if !errors.Is(hashErr, context.Canceled) || !errors.Is(matchErr, context.Canceled) {
		t.Errorf("got %v and %v", hashErr, matchErr)
	}
}

package basics

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"
)

// PasswordCost is the cost of one argon2id hash. Zero fields have the default.
type PasswordCost struct {
	Time      uint32 // passes over the memory; default 2
	MemoryKiB uint32 // default 19456, which is 19 MiB
}

const (
	saltSize = 16
	keySize  = 32
	phc      = "$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s"
)

var encoding = base64.RawStdEncoding

// hasher hashes passwords, at most one for each processor at a time: more would use more memory and take as long.
type hasher struct {
	cost  PasswordCost
	slots *semaphore.Weighted
}

func newHasher(cost PasswordCost) *hasher {
	if cost.Time == 0 {
		cost.Time = 2
	}
	if cost.MemoryKiB == 0 {
		cost.MemoryKiB = 19 * 1024
	}
	return &hasher{cost: cost, slots: semaphore.NewWeighted(int64(runtime.GOMAXPROCS(0)))}
}

// hash returns the hash of the password with a new salt, in PHC form. It waits for a slot until ctx ends.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails
	key, err := h.key(ctx, password, salt, h.cost)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(phc, argon2.Version, h.cost.MemoryKiB, h.cost.Time, encoding.EncodeToString(salt), encoding.EncodeToString(key)), nil
}

// matches reports whether the hash is that of the password. An empty hash, for an unknown user, takes as long as any
// and never matches.
func (h *hasher) matches(ctx context.Context, password, hash string) (bool, error) {
	cost, salt, want := h.cost, make([]byte, saltSize), make([]byte, keySize)
	if hash != "" {
		var err error
		if cost, salt, want, err = parseHash(hash); err != nil {
			return false, err
		}
	}
	key, err := h.key(ctx, password, salt, cost)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(key, want) == 1 && hash != "", nil
}

func (h *hasher) key(ctx context.Context, password string, salt []byte, cost PasswordCost) ([]byte, error) {
	if err := h.slots.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer h.slots.Release(1)
	return argon2.IDKey([]byte(password), salt, cost.Time, cost.MemoryKiB, 1, keySize), nil
}

func parseHash(hash string) (cost PasswordCost, salt, key []byte, err error) {
	var version int
	var rest string
	if _, err := fmt.Sscanf(hash, "$argon2id$v=%d$m=%d,t=%d,p=1$%s", &version, &cost.MemoryKiB, &cost.Time, &rest); err != nil {
		return cost, nil, nil, fmt.Errorf("parse password hash: %w", err)
	}
	saltText, keyText, _ := strings.Cut(rest, "$")
	salt, saltErr := encoding.DecodeString(saltText)
	key, keyErr := encoding.DecodeString(keyText)
	if saltErr != nil || keyErr != nil || len(key) != keySize || version != argon2.Version {
		return cost, nil, nil, errors.New("parse password hash: unknown format")
	}
	return cost, salt, key, nil
}

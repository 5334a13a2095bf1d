// Package encrypt is the byte transform that encrypts and authenticates blobs:
// without the key nobody can read them, change them, or replace one by another.
//
// Keys are age's (filippo.io/age): a random data key of 32 bytes is wrapped for
// recipients and for a passphrase. Blobs are sealed with XChaCha20-Poly1305 under a
// key derived from the data key with HKDF-SHA-256: a random nonce of 24 bytes, then
// ciphertext and tag; the blob's name is the associated data.
package encrypt

import (
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/lmsvault/vault/core/stage"
)

// transform implements stage.Keyed. Create or Open sets its key before blobs are
// sealed; the next Create or Open replaces it.
type transform struct {
	keys keyring

	mu   sync.RWMutex
	aead cipher.AEAD
	data []byte // the data key, for Share
}

// CanOpen reports whether a passphrase or an identity was given.
func (t *transform) CanOpen() bool { return t.keys.passphrase != "" || len(t.keys.identities) > 0 }

// Create generates a new data key and wraps it.
func (t *transform) Create(context.Context) ([]byte, error) {
	data := make([]byte, chacha20poly1305.KeySize)
	if _, err := rand.Read(data); err != nil {
		return nil, fmt.Errorf("generating a data key: %w", err)
	}
	header, err := t.keys.wrap(data)
	if err != nil {
		return nil, err
	}
	return header, t.use(data)
}

// Open recovers the data key.
func (t *transform) Open(_ context.Context, header []byte) error {
	data, err := t.keys.unwrap(header)
	if err != nil {
		return err
	}
	return t.use(data)
}

func (t *transform) use(data []byte) error {
	key, err := hkdf.Key(sha256.New, data, nil, "vault encrypt 1 blob", chacha20poly1305.KeySize)
	if err != nil {
		return fmt.Errorf("deriving the blob key: %w", err)
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return fmt.Errorf("using the blob key: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.aead, t.data = aead, data
	return nil
}

var errNoKey = errors.New("encrypt has no key; call Create or Open first")

func (t *transform) current() (cipher.AEAD, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.aead == nil {
		return nil, errNoKey
	}
	return t.aead, nil
}

// Apply seals src under its name.
func (t *transform) Apply(_ context.Context, dst, src []byte, name string) ([]byte, error) {
	aead, err := t.current()
	if err != nil {
		return dst, err
	}
	start := len(dst)
	dst = slices.Grow(dst, chacha20poly1305.NonceSizeX+len(src)+aead.Overhead())
	dst = dst[:start+chacha20poly1305.NonceSizeX]
	nonce := dst[start:]
	if _, err := rand.Read(nonce); err != nil {
		return dst[:start], fmt.Errorf("%s: generating a nonce: %w", name, err)
	}
	return aead.Seal(dst, nonce, src, []byte(name)), nil
}

// Invert opens what Apply sealed under the same name.
func (t *transform) Invert(_ context.Context, dst, src []byte, name string, limit int) ([]byte, error) {
	aead, err := t.current()
	if err != nil {
		return dst, err
	}
	const nonce = chacha20poly1305.NonceSizeX
	plain := len(src) - nonce - aead.Overhead()
	if plain < 0 || plain > limit {
		return dst, fmt.Errorf("%s: %w: %d bytes cannot be a sealed blob of at most %d", name, stage.ErrCorrupt, len(src), limit)
	}
	out, err := aead.Open(dst, src[:nonce], src[nonce:], []byte(name))
	if err != nil {
		return dst, fmt.Errorf("%s: %w: it was changed, or belongs to another name or key", name, stage.ErrCorrupt)
	}
	return out, nil
}

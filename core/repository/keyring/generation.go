package keyring

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"hash"
	"slices"
	"sync"

	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

const (
	secretSize = 32
	macSize    = sha256.Size
	MaxObject  = 512 << 20 // plaintext bytes of a sealed object (a manifest, an index), which a reader keeps in memory
)

// Generation is an opened key of a repository: the chain of transforms, and the keys
// for chunk IDs and sealed objects. It is safe for concurrent use.
type Generation struct {
	repo   string // the repository's ID
	KID    string
	Key    KeyFile
	Access string // the ID of the access that opened it; "" if it is new or unencrypted

	Chain   []stage.ByteTransform // in the order in which they are applied
	ids     sync.Pool             // of hash.Hash, HMAC with the ID key
	objects []byte                // HMAC key of sealed objects
	Scratch sync.Pool             // of *[]byte, for the stages of the chain
}

// newGeneration derives the keys of a generation from its secret.
func newGeneration(repo, kid string, key KeyFile, chain []stage.ByteTransform, secret []byte) (*Generation, error) {
	idKey, err := hkdf.Key(sha256.New, secret, nil, "vault repository 1 chunk id", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("deriving the ID key: %w", err)
	}
	objects, err := hkdf.Key(sha256.New, secret, nil, "vault repository 1 object", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("deriving the object key: %w", err)
	}
	return &Generation{
		repo: repo, KID: kid, Key: key, Chain: chain, objects: objects,
		ids:     sync.Pool{New: func() any { return hmac.New(sha256.New, idKey) }},
		Scratch: sync.Pool{New: func() any { return new([]byte) }},
	}, nil
}

func newSecret() ([]byte, error) {
	secret := make([]byte, secretSize)
	if _, err := rand.Read(secret); err != nil {
		return nil, fmt.Errorf("generating a key: %w", err)
	}
	return secret, nil
}

// ID returns the ID of a chunk: a keyed hash of its plaintext.
func (e *Generation) ID(plain []byte) object.ID {
	h := e.ids.Get().(hash.Hash)
	h.Reset()
	h.Write(plain)
	var id object.ID
	h.Sum(id[:0])
	e.ids.Put(h)
	return id
}

// ChunkName returns the blob name of a chunk.
func (e *Generation) ChunkName(id object.ID) string { return e.BlobName("chunk", id.String()) }

// BlobName returns the name that a blob is bound to when it is sealed.
func (e *Generation) BlobName(kind, name string) string {
	return "vault/1/" + e.repo + "/" + e.KID + "/" + kind + "/" + name
}

// Keep returns a buffer to Scratch, unless a large row has made it too large.
func (e *Generation) Keep(buf *[]byte) {
	if cap(*buf) <= object.MaxScratch {
		e.Scratch.Put(buf)
	}
}

// Seal applies the chain to src and appends the result to dst.
func (e *Generation) Seal(ctx context.Context, dst, src []byte, blob string) ([]byte, error) {
	return through(e, dst, src, len(e.Chain), func(i int, dst, src []byte) ([]byte, error) {
		return e.Chain[i].Apply(ctx, dst, src, blob)
	})
}

// unseal inverts Seal and appends at most limit bytes to dst.
func (e *Generation) unseal(ctx context.Context, dst, src []byte, blob string, limit int) ([]byte, error) {
	if len(e.Chain) == 0 && len(src) > limit {
		return dst, fmt.Errorf("%w: %d bytes where %d belong", stage.ErrCorrupt, len(src), limit)
	}
	return through(e, dst, src, len(e.Chain), func(i int, dst, src []byte) ([]byte, error) {
		most := limit
		if i < len(e.Chain)-1 { // a transform may add a few bytes to limit
			most = max(len(src), limit) + limit/8 + 1<<10
		}
		return e.Chain[len(e.Chain)-1-i].Invert(ctx, dst, src, blob, most)
	})
}

// through runs src through n steps, the last of which appends to dst.
func through(e *Generation, dst, src []byte, n int, step func(i int, dst, src []byte) ([]byte, error)) ([]byte, error) {
	if n == 0 {
		return append(dst, src...), nil
	}
	a, b := e.Scratch.Get().(*[]byte), e.Scratch.Get().(*[]byte)
	defer e.Keep(a)
	defer e.Keep(b)
	for i := range n - 1 {
		out, err := step(i, (*a)[:0], src)
		if err != nil {
			return dst, err
		}
		*a, src = out, out
		a, b = b, a
	}
	return step(n-1, dst, src)
}

// SealObject seals a manifest, an index or a pack's directory. A keyed hash is prepended,
// which authenticates the content and its name even if no transform encrypts.
func (e *Generation) SealObject(ctx context.Context, plain []byte, blob string) ([]byte, error) {
	if len(plain) > MaxObject {
		return nil, fmt.Errorf("%d MiB exceed the limit of %d MiB; back up to several repositories, or reduce notes and losses", len(plain)>>20, MaxObject>>20)
	}
	buf := e.Scratch.Get().(*[]byte)
	defer e.Keep(buf)
	*buf = append(append((*buf)[:0], e.mac(plain, blob)...), plain...)
	return e.Seal(ctx, nil, *buf, blob)
}

// OpenObject inverts SealObject and verifies the keyed hash.
func (e *Generation) OpenObject(ctx context.Context, sealed []byte, blob string) ([]byte, error) {
	raw, err := e.unseal(ctx, nil, sealed, blob, MaxObject+macSize)
	if err != nil {
		return nil, err
	}
	if len(raw) < macSize || !hmac.Equal(raw[:macSize], e.mac(raw[macSize:], blob)) {
		return nil, fmt.Errorf("%w: the object was modified, or belongs to another name", stage.ErrCorrupt)
	}
	return raw[macSize:], nil
}

func (e *Generation) mac(plain []byte, blob string) []byte {
	h := hmac.New(sha256.New, e.objects)
	h.Write([]byte(blob))
	h.Write([]byte{0})
	h.Write(plain)
	return h.Sum(nil)
}

// GetObject reads and opens a sealed object.
func (e *Generation) GetObject(ctx context.Context, s stage.Storage, name, blob string) ([]byte, error) {
	sealed, err := s.Get(ctx, nil, name, 0, -1)
	if err == nil {
		sealed, err = e.OpenObject(ctx, sealed, blob)
	}
	return sealed, object.Damaged(name, "", err)
}

// OpenChunk appends the plaintext of a chunk to dst and verifies it by its ID.
func (e *Generation) OpenChunk(ctx context.Context, dst, sealed []byte, id object.ID, plain int) ([]byte, error) {
	start := len(dst)
	out, err := e.unseal(ctx, slices.Grow(dst, plain), sealed, e.ChunkName(id), plain)
	if err != nil {
		return dst, err
	}
	if len(out)-start != plain || e.ID(out[start:]) != id {
		return dst, fmt.Errorf("%w: the content does not match the ID", stage.ErrCorrupt)
	}
	return out, nil
}

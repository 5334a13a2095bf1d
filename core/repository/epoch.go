package repository

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

	"github.com/lmsvault/vault/core/stage"
)

const (
	secretSize = 32
	macSize    = sha256.Size
	maxObject  = 512 << 20 // plain bytes of a sealed object (a manifest, an index), which a reader holds whole
)

// epoch is one key of a repository at work: the chain of transforms, and the
// keys for ids and objects. It is safe for concurrent use.
type epoch struct {
	repo   string // the repository's id
	kid    string
	key    keyFile
	access string // the ID of the access by which it was opened; "" for a new or a clear one

	chain   []stage.ByteTransform // in the order of Apply
	ids     sync.Pool             // of hash.Hash, HMAC under the id key
	objects []byte                // HMAC key of sealed objects
	scratch sync.Pool             // of *[]byte, for the stages of the chain
}

// newEpoch derives the keys of an epoch from its secret.
func newEpoch(repo, kid string, key keyFile, chain []stage.ByteTransform, secret []byte) (*epoch, error) {
	idKey, err := hkdf.Key(sha256.New, secret, nil, "vault repository 1 chunk id", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("deriving the id key: %w", err)
	}
	objects, err := hkdf.Key(sha256.New, secret, nil, "vault repository 1 object", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("deriving the object key: %w", err)
	}
	return &epoch{
		repo: repo, kid: kid, key: key, chain: chain, objects: objects,
		ids:     sync.Pool{New: func() any { return hmac.New(sha256.New, idKey) }},
		scratch: sync.Pool{New: func() any { return new([]byte) }},
	}, nil
}

func newSecret() ([]byte, error) {
	secret := make([]byte, secretSize)
	if _, err := rand.Read(secret); err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	return secret, nil
}

// id is the keyed hash that names a chunk.
func (e *epoch) id(plain []byte) ID {
	h := e.ids.Get().(hash.Hash)
	h.Reset()
	h.Write(plain)
	var id ID
	h.Sum(id[:0])
	e.ids.Put(h)
	return id
}

func (e *epoch) chunkName(id ID) string { return e.blobName("chunk", id.String()) }

// blobName is what a blob is bound to.
func (e *epoch) blobName(kind, name string) string {
	return "vault/1/" + e.repo + "/" + e.kid + "/" + kind + "/" + name
}

// keep gives a scratch buffer back, unless one large row has grown it.
func (e *epoch) keep(buf *[]byte) {
	if cap(*buf) <= maxScratch {
		e.scratch.Put(buf)
	}
}

// seal appends src to dst as the chain transforms it.
func (e *epoch) seal(ctx context.Context, dst, src []byte, blob string) ([]byte, error) {
	return through(e, dst, src, len(e.chain), func(i int, dst, src []byte) ([]byte, error) {
		return e.chain[i].Apply(ctx, dst, src, blob)
	})
}

// unseal appends to dst what seal was given, limit bytes at most.
func (e *epoch) unseal(ctx context.Context, dst, src []byte, blob string, limit int) ([]byte, error) {
	if len(e.chain) == 0 && len(src) > limit {
		return dst, fmt.Errorf("%w: %d bytes where %d belong", stage.ErrCorrupt, len(src), limit)
	}
	return through(e, dst, src, len(e.chain), func(i int, dst, src []byte) ([]byte, error) {
		most := limit
		if i < len(e.chain)-1 { // what a transform made of limit bytes may be somewhat more
			most = max(len(src), limit) + limit/8 + 1<<10
		}
		return e.chain[len(e.chain)-1-i].Invert(ctx, dst, src, blob, most)
	})
}

// through runs src through n steps, the last of which appends to dst.
func through(e *epoch, dst, src []byte, n int, step func(i int, dst, src []byte) ([]byte, error)) ([]byte, error) {
	if n == 0 {
		return append(dst, src...), nil
	}
	a, b := e.scratch.Get().(*[]byte), e.scratch.Get().(*[]byte)
	defer e.keep(a)
	defer e.keep(b)
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

// sealObject seals a manifest, an index or a pack's directory. The keyed hash
// in front authenticates it and its name also where no transform does.
func (e *epoch) sealObject(ctx context.Context, plain []byte, blob string) ([]byte, error) {
	if len(plain) > maxObject {
		return nil, fmt.Errorf("it has %d MiB, which exceeds the limit of %d MiB: back up into several repositories, or with fewer notes and losses", len(plain)>>20, maxObject>>20)
	}
	buf := e.scratch.Get().(*[]byte)
	defer e.keep(buf)
	*buf = append(append((*buf)[:0], e.mac(plain, blob)...), plain...)
	return e.seal(ctx, nil, *buf, blob)
}

// openObject is the inverse of sealObject.
func (e *epoch) openObject(ctx context.Context, sealed []byte, blob string) ([]byte, error) {
	raw, err := e.unseal(ctx, nil, sealed, blob, maxObject+macSize)
	if err != nil {
		return nil, err
	}
	if len(raw) < macSize || !hmac.Equal(raw[:macSize], e.mac(raw[macSize:], blob)) {
		return nil, fmt.Errorf("%w: it was changed, or is another object under this name", stage.ErrCorrupt)
	}
	return raw[macSize:], nil
}

func (e *epoch) mac(plain []byte, blob string) []byte {
	h := hmac.New(sha256.New, e.objects)
	h.Write([]byte(blob))
	h.Write([]byte{0})
	h.Write(plain)
	return h.Sum(nil)
}

// getObject reads a sealed object whole.
func (e *epoch) getObject(ctx context.Context, s stage.Storage, name, blob string) ([]byte, error) {
	sealed, err := s.Get(ctx, nil, name, 0, -1)
	if err == nil {
		sealed, err = e.openObject(ctx, sealed, blob)
	}
	return sealed, damaged(name, "", err)
}

// openChunk appends the plain bytes of a chunk to dst and proves them by its id.
func (e *epoch) openChunk(ctx context.Context, dst, sealed []byte, id ID, plain int) ([]byte, error) {
	start := len(dst)
	out, err := e.unseal(ctx, slices.Grow(dst, plain), sealed, e.chunkName(id), plain)
	if err != nil {
		return dst, err
	}
	if len(out)-start != plain || e.id(out[start:]) != id {
		return dst, fmt.Errorf("%w: its content is not what its id says", stage.ErrCorrupt)
	}
	return out, nil
}

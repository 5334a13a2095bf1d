package pack

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

// cacheBytes limits the plaintext bytes of cached chunks. Chunks that contain several
// files are cached.
const cacheBytes = 32 << 20

// ChunkReader reads chunks of a generation. It is safe for concurrent use.
type ChunkReader struct {
	storage    stage.Storage
	Generation *keyring.Generation
	Index      *Loaded

	mu     sync.Mutex
	cached map[object.ID]*list.Element // of *cachedChunk
	order  *list.List                  // most recently used first
	bytes  int
}

type cachedChunk struct {
	id   object.ID
	data []byte // read only
}

// NewChunkReader returns a reader of the chunks in x.
func NewChunkReader(s stage.Storage, e *keyring.Generation, x *Loaded) *ChunkReader {
	return &ChunkReader{storage: s, Generation: e, Index: x, cached: map[object.ID]*list.Element{}, order: list.New()}
}

// Read appends the plaintext of a chunk to dst. If the chunk is missing or damaged, the
// error is an *object.Damage.
func (r *ChunkReader) Read(ctx context.Context, dst []byte, id object.ID) ([]byte, error) {
	at, name, ok := r.Index.Find(id)
	if !ok {
		return dst, &object.Damage{Chunk: id.String(), Err: fmt.Errorf("%w: no index and no pack names it%s", stage.ErrNotExist, r.Suspects())}
	}
	objectName := object.PackName(r.Generation.KID, name)
	buf := r.Generation.Scratch.Get().(*[]byte)
	defer r.Generation.Keep(buf)
	sealed, err := r.storage.Get(ctx, (*buf)[:0], objectName, int64(at.Offset), int64(at.length))
	if errors.Is(err, stage.ErrNotExist) {
		return dst, object.Damaged(objectName, "", err) // affects all its chunks
	}
	if err != nil {
		return dst, object.Damaged(objectName, id.String(), err)
	}
	*buf = sealed
	out, err := r.Generation.OpenChunk(ctx, dst, sealed, id, int(at.Plain))
	return out, object.Damaged(objectName, id.String(), err)
}

// Suspects lists the damaged objects that may have contained a chunk which is not in
// the index.
func (r *ChunkReader) Suspects() string {
	text := ""
	for _, d := range r.Index.Damaged {
		text += ", and " + d.Object + " is damaged"
	}
	return text
}

// Part returns the bytes that ref references. The caller must not modify them; they are
// valid until buf is used again.
func (r *ChunkReader) Part(ctx context.Context, buf *[]byte, ref object.Ref) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	data, ok := r.FromCache(ref.Chunk)
	if !ok {
		at, name, found := r.Index.Find(ref.Chunk)
		whole := found && ref.Offset == 0 && ref.Length == at.Plain
		if whole {
			out, err := r.Read(ctx, (*buf)[:0], ref.Chunk)
			*buf = out
			return out, err
		}
		if found && uint64(ref.Offset)+uint64(ref.Length) > uint64(at.Plain) {
			return nil, &object.Damage{Object: object.PackName(r.Generation.KID, name), Chunk: ref.Chunk.String(),
				Err: fmt.Errorf("%w: bytes %d to %d of %d are asked for", stage.ErrCorrupt, ref.Offset, uint64(ref.Offset)+uint64(ref.Length), at.Plain)}
		}
		var err error
		if data, err = r.Read(ctx, nil, ref.Chunk); err != nil {
			return nil, err
		}
		r.ToCache(ref.Chunk, data)
	}
	end := uint64(ref.Offset) + uint64(ref.Length)
	if end > uint64(len(data)) {
		return nil, &object.Damage{Chunk: ref.Chunk.String(), Err: fmt.Errorf("%w: bytes %d to %d of %d are asked for", stage.ErrCorrupt, ref.Offset, end, len(data))}
	}
	return data[ref.Offset:end], nil
}

// FromCache returns a chunk's plaintext if it is cached. It must not be modified.
func (r *ChunkReader) FromCache(id object.ID) ([]byte, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.cached[id]
	if !ok {
		return nil, false
	}
	r.order.MoveToFront(e)
	return e.Value.(*cachedChunk).data, true
}

// ToCache adds a chunk's plaintext to the cache, which owns data from then on.
func (r *ChunkReader) ToCache(id object.ID, data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.cached[id]; ok || len(data) > cacheBytes/4 {
		return
	}
	r.cached[id] = r.order.PushFront(&cachedChunk{id, data})
	r.bytes += len(data)
	for r.bytes > cacheBytes {
		last := r.order.Remove(r.order.Back()).(*cachedChunk)
		delete(r.cached, last.id)
		r.bytes -= len(last.data)
	}
}

package repository

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/lmsvault/vault/core/stage"
)

// cacheBytes bounds the plain bytes of chunks that are kept because more files
// are in them than the one that was read.
const cacheBytes = 32 << 20

// chunkReader reads chunks of an epoch. It is safe for concurrent use.
type chunkReader struct {
	storage stage.Storage
	epoch   *epoch
	index   *loaded

	mu     sync.Mutex
	cached map[ID]*list.Element // of *cachedChunk
	order  *list.List           // latest first
	bytes  int
}

type cachedChunk struct {
	id   ID
	data []byte // never changed
}

func newChunkReader(s stage.Storage, e *epoch, x *loaded) *chunkReader {
	return &chunkReader{storage: s, epoch: e, index: x, cached: map[ID]*list.Element{}, order: list.New()}
}

// read appends a chunk's plain bytes to dst. What is missing or changed is a *Damage.
func (r *chunkReader) read(ctx context.Context, dst []byte, id ID) ([]byte, error) {
	at, name, ok := r.index.find(id)
	if !ok {
		return dst, &Damage{Chunk: id.String(), Err: fmt.Errorf("%w: no index and no pack names it%s", stage.ErrNotExist, r.suspects())}
	}
	object := packName(r.epoch.kid, name)
	buf := r.epoch.scratch.Get().(*[]byte)
	defer r.epoch.keep(buf)
	sealed, err := r.storage.Get(ctx, (*buf)[:0], object, int64(at.offset), int64(at.length))
	if errors.Is(err, stage.ErrNotExist) {
		return dst, damaged(object, "", err) // with all its chunks
	}
	if err != nil {
		return dst, damaged(object, id.String(), err)
	}
	*buf = sealed
	out, err := r.epoch.openChunk(ctx, dst, sealed, id, int(at.plain))
	return out, damaged(object, id.String(), err)
}

// suspects names the objects that may have held a chunk that nothing names.
func (r *chunkReader) suspects() string {
	text := ""
	for _, d := range r.index.damaged {
		text += ", and " + d.Object + " is damaged"
	}
	return text
}

// part returns bytes of a chunk. They must not be changed, and are valid until
// buf is used again.
func (r *chunkReader) part(ctx context.Context, buf *[]byte, ref Ref) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	data, ok := r.fromCache(ref.Chunk)
	if !ok {
		at, name, found := r.index.find(ref.Chunk)
		whole := found && ref.Offset == 0 && ref.Length == at.plain
		if whole {
			out, err := r.read(ctx, (*buf)[:0], ref.Chunk)
			*buf = out
			return out, err
		}
		if found && uint64(ref.Offset)+uint64(ref.Length) > uint64(at.plain) {
			return nil, &Damage{Object: packName(r.epoch.kid, name), Chunk: ref.Chunk.String(),
				Err: fmt.Errorf("%w: bytes %d to %d of %d are asked for", stage.ErrCorrupt, ref.Offset, uint64(ref.Offset)+uint64(ref.Length), at.plain)}
		}
		var err error
		if data, err = r.read(ctx, nil, ref.Chunk); err != nil {
			return nil, err
		}
		r.toCache(ref.Chunk, data)
	}
	end := uint64(ref.Offset) + uint64(ref.Length)
	if end > uint64(len(data)) {
		return nil, &Damage{Chunk: ref.Chunk.String(), Err: fmt.Errorf("%w: bytes %d to %d of %d are asked for", stage.ErrCorrupt, ref.Offset, end, len(data))}
	}
	return data[ref.Offset:end], nil
}

func (r *chunkReader) fromCache(id ID) ([]byte, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.cached[id]
	if !ok {
		return nil, false
	}
	r.order.MoveToFront(e)
	return e.Value.(*cachedChunk).data, true
}

func (r *chunkReader) toCache(id ID, data []byte) {
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

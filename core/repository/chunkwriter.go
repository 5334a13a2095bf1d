package repository

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/lmsvault/vault/core/stage"
)

// chunkWriter stores chunks of an epoch, each once. It is safe for concurrent use.
type chunkWriter struct {
	epoch  *epoch
	index  *index
	packer *packer

	newChunks atomic.Int64
	newBytes  atomic.Int64 // plain
}

func newChunkWriter(ctx context.Context, s stage.Storage, e *epoch, x *index) *chunkWriter {
	return &chunkWriter{epoch: e, index: x, packer: newPacker(ctx, s, e, x)}
}

// store returns the id of a chunk and makes sure that it is, or will be with
// the next flush, in the storage. plain belongs to the caller when it returns.
func (w *chunkWriter) store(ctx context.Context, kind blobKind, plain []byte) (ID, error) {
	if len(plain) > maxChunk {
		return ID{}, fmt.Errorf("one row of %d bytes is more than the %d that a repository can hold in one piece", len(plain), maxChunk)
	}
	if err := ctx.Err(); err != nil {
		return ID{}, err
	}
	id := w.epoch.id(plain)
	if !w.index.claim(id) {
		return id, nil
	}
	if err := w.storeNew(ctx, kind, id, plain); err != nil {
		// Others may count on this chunk already: nothing can be committed now.
		w.packer.fail(err)
		return id, err
	}
	w.newChunks.Add(1)
	w.newBytes.Add(int64(len(plain)))
	return id, nil
}

func (w *chunkWriter) storeNew(ctx context.Context, kind blobKind, id ID, plain []byte) error {
	buf := w.epoch.scratch.Get().(*[]byte)
	defer w.epoch.keep(buf)
	sealed, err := w.epoch.seal(ctx, (*buf)[:0], plain, w.epoch.chunkName(id))
	if err != nil {
		return fmt.Errorf("sealing a chunk: %w", err)
	}
	*buf = sealed
	return w.packer.add(ctx, kind, id, sealed, len(plain))
}

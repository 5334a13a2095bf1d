package pack

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

// ChunkWriter stores chunks of a generation, each once. It is safe for concurrent use.
type ChunkWriter struct {
	Generation *keyring.Generation
	index      *Index
	Packer     *packer

	newChunks atomic.Int64
	NewBytes  atomic.Int64 // plain
}

func NewChunkWriter(ctx context.Context, s stage.Storage, e *keyring.Generation, x *Index) *ChunkWriter {
	return &ChunkWriter{Generation: e, index: x, Packer: NewPacker(ctx, s, e, x)}
}

// Store returns the id of a chunk and makes sure that it is, or will be with
// the next flush, in the storage. plain belongs to the caller when it returns.
func (w *ChunkWriter) Store(ctx context.Context, kind blobKind, plain []byte) (object.ID, error) {
	if len(plain) > object.MaxChunk {
		return object.ID{}, fmt.Errorf("one row of %d bytes is more than the %d that a repository can hold in one piece", len(plain), object.MaxChunk)
	}
	if err := ctx.Err(); err != nil {
		return object.ID{}, err
	}
	id := w.Generation.ID(plain)
	if !w.index.claim(id) {
		return id, nil
	}
	if err := w.storeNew(ctx, kind, id, plain); err != nil {
		// Others may count on this chunk already: nothing can be committed now.
		w.Packer.Fail(err)
		return id, err
	}
	w.newChunks.Add(1)
	w.NewBytes.Add(int64(len(plain)))
	return id, nil
}

func (w *ChunkWriter) storeNew(ctx context.Context, kind blobKind, id object.ID, plain []byte) error {
	buf := w.Generation.Scratch.Get().(*[]byte)
	defer w.Generation.Keep(buf)
	sealed, err := w.Generation.Seal(ctx, (*buf)[:0], plain, w.Generation.ChunkName(id))
	if err != nil {
		return fmt.Errorf("sealing a chunk: %w", err)
	}
	*buf = sealed
	return w.Packer.Add(ctx, kind, id, sealed, len(plain))
}

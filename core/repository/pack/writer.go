package pack

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

// ChunkWriter stores each chunk of a generation once. It is safe for concurrent use.
type ChunkWriter struct {
	Generation *keyring.Generation
	index      *Index
	Packer     *packer

	newChunks atomic.Int64
	NewBytes  atomic.Int64 // plain
}

// NewChunkWriter returns a writer that stores the chunks that are not in x.
func NewChunkWriter(ctx context.Context, s stage.Storage, e *keyring.Generation, x *Index) *ChunkWriter {
	return &ChunkWriter{Generation: e, index: x, Packer: NewPacker(ctx, s, e, x)}
}

// Store stores a chunk, at the latest with the next Flush, and returns its ID. It does
// not retain plain.
func (w *ChunkWriter) Store(ctx context.Context, kind blobKind, plain []byte) (object.ID, error) {
	if len(plain) > object.MaxChunk {
		return object.ID{}, fmt.Errorf("row of %d bytes exceeds the limit of %d bytes", len(plain), object.MaxChunk)
	}
	if err := ctx.Err(); err != nil {
		return object.ID{}, err
	}
	id := w.Generation.ID(plain)
	if !w.index.claim(id) {
		return id, nil
	}
	if err := w.storeNew(ctx, kind, id, plain); err != nil {
		// Other units may rely on this chunk already, so nothing can be committed now.
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

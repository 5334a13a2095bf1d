// Package compress is the byte transform that compresses blobs with zstd or lz4, and
// stores incompressible ones unchanged.
//
// A blob begins with one byte for its codec (0 stored, 1 lz4 block, 2 zstd frame).
// For 1 and 2 the plain length follows as a uvarint, then the compressed bytes; for 0
// the bytes themselves. Blobs of different settings can therefore coexist, and Invert
// needs no configuration.
package compress

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/lmsvault/vault/core/stage"
)

// The codec byte at the start of a blob.
const (
	stored byte = iota
	lz4Block
	zstdFrame
)

// Sizes that decide whether to try compression.
const (
	smallest    = 64       // bytes; below that the header outweighs the gain
	sampleFrom  = 64 << 10 // bytes; from here on a sample is compressed first
	samplePiece = 2 << 10  // bytes of each piece of a sample
	pieces      = 16       // per sample; many, as a blob may hold many small files of different kinds
	gain        = 32       // a blob must shrink by at least 1/gain to be stored compressed
)

// codec compresses blocks. It is safe for concurrent use.
type codec interface {
	// pack appends the compressed src to dst.
	pack(dst, src []byte) ([]byte, error)
	id() byte
}

// transform is the stage.ByteTransform.
type transform struct {
	codec   codec
	decoder *zstd.Decoder
	samples sync.Pool // of *sample
}

// sample is the working memory of pays.
type sample struct {
	in  [pieces * samplePiece]byte
	out []byte
}

// Apply compresses src if compressing a sample of it pays off.
func (t *transform) Apply(_ context.Context, dst, src []byte, _ string) ([]byte, error) {
	if len(src) < smallest || !t.pays(src) {
		return append(append(dst, stored), src...), nil
	}
	start := len(dst)
	dst = append(dst, t.codec.id())
	dst = binary.AppendUvarint(dst, uint64(len(src)))
	dst, err := t.codec.pack(dst, src)
	if err != nil {
		return dst[:start], fmt.Errorf("compressing %d bytes: %w", len(src), err)
	}
	if len(dst)-start > len(src)-len(src)/gain {
		dst = append(append(dst[:start], stored), src...)
	}
	return dst, nil
}

// pays compresses pieces from all over src with the codec itself, because codecs
// differ in what they cannot shrink (such as hex digits of random bytes with lz4).
func (t *transform) pays(src []byte) bool {
	if len(src) < sampleFrom {
		return true
	}
	s := t.samples.Get().(*sample)
	defer t.samples.Put(s)
	step := (len(src) - samplePiece) / (pieces - 1)
	for i := range pieces {
		copy(s.in[i*samplePiece:], src[i*step:i*step+samplePiece])
	}
	out, err := t.codec.pack(s.out[:0], s.in[:])
	s.out = out
	return err != nil || len(out) <= len(s.in)-len(s.in)/gain
}

// Invert restores the input of Apply, and returns at most limit bytes.
func (t *transform) Invert(_ context.Context, dst, src []byte, name string, limit int) ([]byte, error) {
	if len(src) == 0 {
		return dst, fmt.Errorf("%s: %w: an empty blob has no codec byte", name, stage.ErrCorrupt)
	}
	id, src := src[0], src[1:]
	if id == stored {
		if len(src) > limit {
			return dst, tooLarge(name, uint64(len(src)), limit)
		}
		return append(dst, src...), nil
	}
	size, n := binary.Uvarint(src)
	if n <= 0 {
		return dst, fmt.Errorf("%s: %w: the compressed blob has no length", name, stage.ErrCorrupt)
	}
	if size == 0 { // empty content is stored uncompressed, and lz4 would write through an empty slice
		return dst, fmt.Errorf("%s: %w: the compressed blob claims to be empty", name, stage.ErrCorrupt)
	}
	if limit < 0 || size > uint64(limit) {
		return dst, tooLarge(name, size, limit)
	}
	start, end := len(dst), len(dst)+int(size)
	dst = slices.Grow(dst, int(size))
	out, err := t.unpack(id, dst[:start:end], src[n:])
	if err != nil {
		return dst[:start], fmt.Errorf("%s: %w: %w", name, stage.ErrCorrupt, err)
	}
	if len(out) != end {
		return dst[:start], fmt.Errorf("%s: %w: decompressed to %d bytes instead of %d", name, stage.ErrCorrupt, len(out)-start, size)
	}
	return dst[:end], nil
}

// unpack appends to dst without exceeding its capacity.
func (t *transform) unpack(id byte, dst, src []byte) ([]byte, error) {
	switch id {
	case lz4Block:
		n, err := lz4.UncompressBlock(src, dst[len(dst):cap(dst)])
		if err != nil {
			return dst, err
		}
		return dst[:len(dst)+n], nil
	case zstdFrame:
		return t.decoder.DecodeAll(src, dst)
	}
	return dst, fmt.Errorf("unknown codec %d; a newer version of vault may support it", id)
}

func tooLarge(name string, size uint64, limit int) error {
	return fmt.Errorf("%s: %w: the blob claims to hold %d bytes, which exceeds the limit of %d", name, stage.ErrCorrupt, size, limit)
}

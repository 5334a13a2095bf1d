// Package compress is the byte transform that makes blobs smaller with zstd or
// lz4, and leaves those as they are that don't get smaller.
//
// A blob begins with one byte that names its codec (0 stored, 1 lz4 block, 2
// zstd frame). After 1 and 2 stands the plain length as a uvarint, then the
// compressed bytes; after 0 the bytes themselves. So blobs of different settings
// can stand side by side, and Invert needs no configuration.
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

// Sizes that decide whether compressing is tried at all.
const (
	smallest    = 64       // bytes; below, the header eats what is gained
	sampleFrom  = 64 << 10 // bytes; from here on a sample is measured first
	samplePiece = 2 << 10  // bytes of each piece of a sample
	pieces      = 16       // of a sample; many, as a blob may hold many small files of different kinds
	gain        = 32       // a blob must become smaller by 1/gain to be worth inverting
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

// sample is what pays works in.
type sample struct {
	in  [pieces * samplePiece]byte
	out []byte
}

// Apply compresses src if a sample of it says that it pays.
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

// pays measures pieces from all over src with the codec itself: the kinds of
// content that other codecs can't shrink (hex digits of random bytes under lz4,
// say) differ.
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

// Invert restores what Apply was given, and makes no more than limit bytes of it.
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
	if size == 0 { // such content is stored as it is; and lz4 writes to where an empty slice points
		return dst, fmt.Errorf("%s: %w: the compressed blob says it holds nothing", name, stage.ErrCorrupt)
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
		return dst[:start], fmt.Errorf("%s: %w: %d bytes came out of a blob of %d", name, stage.ErrCorrupt, len(out)-start, size)
	}
	return dst[:end], nil
}

// unpack appends to dst, within its capacity.
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
	return dst, fmt.Errorf("codec %d is not known; a newer version of vault may know it", id)
}

func tooLarge(name string, size uint64, limit int) error {
	return fmt.Errorf("%s: %w: the blob says it holds %d bytes, more than the %d that belong there", name, stage.ErrCorrupt, size, limit)
}

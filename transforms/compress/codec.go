package compress

import (
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// window limits how far back zstd searches, and with it the memory; a chunk is about
// that large.
const window = 2 << 20

type zstdCodec struct{ encoder *zstd.Encoder }

func newZstd(level, workers int) (zstdCodec, error) {
	e, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)),
		zstd.WithEncoderConcurrency(workers),
		zstd.WithWindowSize(window),
		zstd.WithLowerEncoderMem(true),
		zstd.WithAllLitEntropyCompression(true), // hex digits of a binary column have no matches, but still shrink by half
		zstd.WithEncoderCRC(false))              // a repository authenticates every blob
	return zstdCodec{e}, err
}

func (z zstdCodec) id() byte { return zstdFrame }

func (z zstdCodec) pack(dst, src []byte) ([]byte, error) { return z.encoder.EncodeAll(src, dst), nil }

// blockPacker is an lz4.Compressor or lz4.CompressorHC, which keep their tables
// between blocks and are used by one goroutine at a time.
type blockPacker interface {
	CompressBlock(src, dst []byte) (int, error)
}

type lz4Codec struct{ packers *sync.Pool }

func newLZ4(level int) lz4Codec {
	return lz4Codec{&sync.Pool{New: func() any {
		if level > 1 {
			return &lz4.CompressorHC{Level: lz4.CompressionLevel(1 << (8 + min(level, 9)))}
		}
		return &lz4.Compressor{}
	}}}
}

func (z lz4Codec) id() byte { return lz4Block }

func (z lz4Codec) pack(dst, src []byte) ([]byte, error) {
	p := z.packers.Get().(blockPacker)
	defer z.packers.Put(p)
	start, bound := len(dst), lz4.CompressBlockBound(len(src))
	dst = slices.Grow(dst, bound)[:start+bound]
	n, err := p.CompressBlock(src, dst[start:])
	return dst[:start+n], err
}

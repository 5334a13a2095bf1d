package repository

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
)

// blobKind says what a chunk holds.
type blobKind byte

const (
	contentBlob blobKind = 1 // rows, bytes of files
	listBlob    blobKind = 2 // a part of a unit's entry list
)

// blob is one chunk in a pack. Blobs follow each other from offset 0 without gaps.
type blob struct {
	kind   blobKind
	id     ID
	length uint32 // sealed bytes
	plain  uint32 // bytes
}

// pack is a pack's directory: what its trailer and the index hold of it.
type pack struct {
	name  string
	size  int64 // of the object
	blobs []blob
}

const (
	directoryVersion = 1
	maxChunk         = 1 << 30               // plain bytes: one row with all its values
	maxScratch       = 2 * rows.MaxChunk     // buffers larger than that are not kept
	minBlobSize      = 1 + len(ID{}) + 1 + 1 // bytes in a directory
)

// appendDirectory encodes blobs: their number, then of each kind, id, length and plain length.
func appendDirectory(dst []byte, blobs []blob) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(blobs)))
	for _, b := range blobs {
		dst = append(dst, byte(b.kind))
		dst = append(dst, b.id[:]...)
		dst = binary.AppendUvarint(dst, uint64(b.length))
		dst = binary.AppendUvarint(dst, uint64(b.plain))
	}
	return dst
}

func (r *fieldReader) directory() []blob {
	n := r.count(minBlobSize)
	blobs := make([]blob, 0, n)
	for range n {
		b := blob{kind: blobKind(r.byte())}
		copy(b.id[:], r.take(len(b.id)))
		b.length = uint32(r.uint(maxChunk + maxChunk/2))
		b.plain = uint32(r.uint(maxChunk))
		if r.err != nil {
			return nil
		}
		blobs = append(blobs, b)
	}
	return blobs
}

// appendIndex encodes the directories of packs, for an index object.
func appendIndex(dst []byte, packs []pack) ([]byte, error) {
	dst = append(dst, directoryVersion)
	dst = binary.AppendUvarint(dst, uint64(len(packs)))
	for _, p := range packs {
		var err error
		if dst, err = hex.AppendDecode(dst, []byte(p.name)); err != nil {
			return dst, fmt.Errorf("pack name %q: %w", p.name, err)
		}
		dst = binary.AppendUvarint(dst, uint64(p.size))
		dst = appendDirectory(dst, p.blobs)
	}
	return dst, nil
}

// parseIndex reads what appendIndex wrote.
func parseIndex(data []byte) ([]pack, error) {
	r := &fieldReader{rest: data}
	r.version(directoryVersion)
	n := r.count(nameBytes + 2)
	packs := make([]pack, 0, n)
	for range n {
		p := pack{name: hex.EncodeToString(r.take(nameBytes)), size: int64(r.uint(1 << 40))}
		p.blobs = r.directory()
		if r.err != nil {
			break
		}
		packs = append(packs, p)
	}
	return packs, r.end()
}

// A pack ends with its sealed directory, the directory's length as four bytes,
// little-endian, and packMagic.
const (
	packMagic  = "VPK1"
	footerSize = 4 + len(packMagic)
)

var errFooter = errors.New("it does not end as a pack does: it was cut off or overwritten")

// parseFooter returns the length of the sealed directory from a pack's last footerSize bytes.
func parseFooter(footer []byte, size int64) (int64, error) {
	if len(footer) != footerSize || string(footer[4:]) != packMagic {
		return 0, fmt.Errorf("%w: %w", stage.ErrCorrupt, errFooter)
	}
	n := int64(binary.LittleEndian.Uint32(footer))
	if n > size-int64(footerSize) {
		return 0, fmt.Errorf("%w: %w", stage.ErrCorrupt, errFooter)
	}
	return n, nil
}

// parseTrailer reads a pack's directory, unsealed, and checks that it fills the
// pack's bytes before the trailer.
func parseTrailer(data []byte, body int64) ([]blob, error) {
	r := &fieldReader{rest: data}
	r.version(directoryVersion)
	blobs := r.directory()
	if err := r.end(); err != nil {
		return nil, err
	}
	for _, b := range blobs {
		body -= int64(b.length)
	}
	if body != 0 {
		return nil, fmt.Errorf("%w: its blobs don't fill it", stage.ErrCorrupt)
	}
	return blobs, nil
}

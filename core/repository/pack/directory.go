package pack

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

// blobKind is the type of content in a chunk.
type blobKind byte

const (
	ContentBlob blobKind = 1 // rows, bytes of files
	ListBlob    blobKind = 2 // a part of a unit's entry list
)

// Blob describes one chunk in a pack. Blobs are stored without gaps from offset 0.
type Blob struct {
	Kind   blobKind
	ID     object.ID
	Length uint32 // sealed bytes
	Plain  uint32 // bytes
}

// Pack is the directory of a pack, as stored in its trailer and in an index.
type Pack struct {
	Name  string
	Size  int64 // of the object
	Blobs []Blob
}

const (
	directoryVersion = 1
	minBlobSize      = 1 + len(object.ID{}) + 1 + 1 // minimum number of bytes in a directory
)

// appendDirectory encodes blobs: their number, then kind, ID, length and plain length of each.
func appendDirectory(dst []byte, blobs []Blob) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(blobs)))
	for _, b := range blobs {
		dst = append(dst, byte(b.Kind))
		dst = append(dst, b.ID[:]...)
		dst = binary.AppendUvarint(dst, uint64(b.Length))
		dst = binary.AppendUvarint(dst, uint64(b.Plain))
	}
	return dst
}

func directory(r *object.FieldReader) []Blob {
	n := r.Count(minBlobSize)
	blobs := make([]Blob, 0, n)
	for range n {
		b := Blob{Kind: blobKind(r.Byte())}
		copy(b.ID[:], r.Take(len(b.ID)))
		b.Length = uint32(r.Uint(object.MaxChunk + object.MaxChunk/2))
		b.Plain = uint32(r.Uint(object.MaxChunk))
		if r.Err != nil {
			return nil
		}
		blobs = append(blobs, b)
	}
	return blobs
}

// appendIndex encodes the directories of packs, for an index object.
func appendIndex(dst []byte, packs []Pack) ([]byte, error) {
	dst = append(dst, directoryVersion)
	dst = binary.AppendUvarint(dst, uint64(len(packs)))
	for _, p := range packs {
		var err error
		if dst, err = hex.AppendDecode(dst, []byte(p.Name)); err != nil {
			return dst, fmt.Errorf("pack name %q: %w", p.Name, err)
		}
		dst = binary.AppendUvarint(dst, uint64(p.Size))
		dst = appendDirectory(dst, p.Blobs)
	}
	return dst, nil
}

// parseIndex decodes the output of appendIndex.
func parseIndex(data []byte) ([]Pack, error) {
	r := &object.FieldReader{Rest: data}
	r.Version(directoryVersion)
	n := r.Count(object.NameBytes + 2)
	packs := make([]Pack, 0, n)
	for range n {
		p := Pack{Name: hex.EncodeToString(r.Take(object.NameBytes)), Size: int64(r.Uint(1 << 40))}
		p.Blobs = directory(r)
		if r.Err != nil {
			break
		}
		packs = append(packs, p)
	}
	return packs, r.End()
}

// A pack ends with its sealed directory, the directory's length as four bytes,
// little-endian, and packMagic.
const (
	packMagic  = "VPK1"
	footerSize = 4 + len(packMagic)
)

var errFooter = errors.New("no pack trailer at the end; the object was truncated or overwritten")

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

// parseTrailer decodes an unsealed directory and checks that its blobs fill the body
// bytes before it.
func parseTrailer(data []byte, body int64) ([]Blob, error) {
	r := &object.FieldReader{Rest: data}
	r.Version(directoryVersion)
	blobs := directory(r)
	if err := r.End(); err != nil {
		return nil, err
	}
	for _, b := range blobs {
		body -= int64(b.Length)
	}
	if body != 0 {
		return nil, fmt.Errorf("%w: the directory does not match the size of the pack", stage.ErrCorrupt)
	}
	return blobs, nil
}

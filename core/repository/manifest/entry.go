package manifest

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

// Item is an entry stored in a snapshot.
type Item struct {
	stage.Entry
	Digest stage.Digest // of a file
	Refs   []object.Ref // its content, in order
}

// Rows returns the number of rows of a table's item.
func (it *Item) Rows() int64 {
	var n int64
	for _, r := range it.Refs {
		n += int64(r.Rows)
	}
	return n
}

// Bytes returns the size of the content.
func (it *Item) Bytes() int64 {
	var n int64
	for _, r := range it.Refs {
		n += int64(r.Length)
	}
	return n
}

const listVersion = 1

// The first byte of an item is its kind and these bits.
const (
	hasTime   = 0x10
	hasSHA1   = 0x20
	hasSHA256 = 0x40
	hasOwner  = 0x80
	kindBits  = 0x0f
)

// kinds are numbered from 1 in this order.
var kinds = [...]stage.Kind{stage.Table, stage.File, stage.Dir, stage.Symlink, stage.Document}

// ListEncoder encodes items for one chunk of an entry list. The first occurrence of a
// chunk ID is written in full, later ones as a number.
type ListEncoder struct {
	Buf   []byte
	known map[object.ID]uint64
	Items int64
}

// Reset starts a new chunk.
func (l *ListEncoder) Reset() {
	l.Buf = append(l.Buf[:0], listVersion)
	if l.known == nil {
		l.known = map[object.ID]uint64{}
	}
	clear(l.known)
	l.Items = 0
}

// Append encodes an item.
func (l *ListEncoder) Append(it *Item) error {
	head, err := kindNumber(it.Kind)
	if err != nil {
		return err
	}
	sha1, err := digestBytes(it.Digest.SHA1, 20)
	if err != nil {
		return fmt.Errorf("%s: SHA-1 %w", it.Path, err)
	}
	sha256, err := digestBytes(it.Digest.SHA256, 32)
	if err != nil {
		return fmt.Errorf("%s: SHA-256 %w", it.Path, err)
	}
	if len(sha1) > 0 {
		head |= hasSHA1
	}
	if len(sha256) > 0 {
		head |= hasSHA256
	}
	if !it.ModTime.IsZero() {
		head |= hasTime
	}
	if it.Owner.Known {
		if max(it.Owner.UID, it.Owner.GID) > stage.MaxID {
			return fmt.Errorf("%s: invalid owner: user %d, group %d", it.Path, it.Owner.UID, it.Owner.GID)
		}
		head |= hasOwner
	}
	b := append(l.Buf, head)
	b = appendString(b, it.Path)
	b = binary.AppendUvarint(b, uint64(max(it.Size, 0)))
	b = binary.AppendUvarint(b, uint64(it.Mode))
	if head&hasTime != 0 {
		b = binary.AppendVarint(b, it.ModTime.Unix())
		b = binary.AppendUvarint(b, uint64(it.ModTime.Nanosecond()))
	}
	if head&hasOwner != 0 {
		b = binary.AppendUvarint(b, uint64(it.Owner.UID))
		b = binary.AppendUvarint(b, uint64(it.Owner.GID))
	}
	b = appendString(b, it.Target)
	b = appendString(b, it.Fingerprint)
	b = append(append(b, sha1...), sha256...)
	b = binary.AppendUvarint(b, uint64(max(it.Digest.Bytes, 0)))
	b = binary.AppendUvarint(b, uint64(len(it.Refs)))
	for i := range it.Refs {
		b = l.appendRef(b, &it.Refs[i])
	}
	l.Buf = b
	l.Items++
	return nil
}

func (l *ListEncoder) appendRef(b []byte, r *object.Ref) []byte {
	n, ok := l.known[r.Chunk]
	b = binary.AppendUvarint(b, n)
	if !ok {
		b = append(b, r.Chunk[:]...)
		l.known[r.Chunk] = uint64(len(l.known) + 1)
	}
	b = binary.AppendUvarint(b, uint64(r.Offset))
	b = binary.AppendUvarint(b, uint64(r.Length))
	return binary.AppendUvarint(b, uint64(r.Rows))
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func kindNumber(k stage.Kind) (byte, error) {
	for i := range kinds {
		if kinds[i] == k {
			return byte(i + 1), nil
		}
	}
	return 0, fmt.Errorf("unsupported entry kind %q", k)
}

func digestBytes(digits string, size int) ([]byte, error) {
	if digits == "" {
		return nil, nil
	}
	raw, err := hex.DecodeString(digits)
	if err == nil && len(raw) != size {
		err = fmt.Errorf("has %d bytes instead of %d", len(raw), size)
	}
	return raw, err
}

// ListDecoder decodes the items of one chunk of an entry list.
type ListDecoder struct {
	Fields object.FieldReader
	Known  []object.ID
}

// NewListDecoder returns a decoder of data.
func NewListDecoder(data []byte) *ListDecoder {
	d := &ListDecoder{Fields: object.FieldReader{Rest: data}}
	d.Fields.Version(listVersion)
	return d
}

// Next decodes the next item into it; ok is false at the end. The item does not alias
// the data.
func (d *ListDecoder) Next(it *Item) (ok bool, err error) {
	r := &d.Fields
	if r.Err != nil || len(r.Rest) == 0 {
		return false, r.Err
	}
	*it = Item{Refs: it.Refs[:0]}
	head := r.Byte()
	if n := int(head & kindBits); n < 1 || n > len(kinds) {
		r.Fail("unknown entry kind %d", n)
	} else {
		it.Kind = kinds[n-1]
	}
	it.Path = string(r.Bytes())
	it.Size = int64(r.Uint(1<<63 - 1))
	it.Mode = uint32(r.Uint(1<<32 - 1))
	if head&hasTime != 0 {
		sec := r.Int()
		it.ModTime = time.Unix(sec, int64(r.Uint(999_999_999))).UTC()
	}
	if head&hasOwner != 0 {
		it.Owner = stage.Owner{Known: true, UID: uint32(r.Uint(stage.MaxID)), GID: uint32(r.Uint(stage.MaxID))}
	}
	it.Target = string(r.Bytes())
	it.Fingerprint = string(r.Bytes())
	if head&hasSHA1 != 0 {
		it.Digest.SHA1 = hex.EncodeToString(r.Take(20))
	}
	if head&hasSHA256 != 0 {
		it.Digest.SHA256 = hex.EncodeToString(r.Take(32))
	}
	it.Digest.Bytes = int64(r.Uint(1<<63 - 1))
	for range r.Count(4) {
		it.Refs = append(it.Refs, d.ref())
	}
	if r.Err == nil {
		if err := CheckPath(it.Path); err != nil {
			r.Fail("%w", err)
		}
	}
	return r.Err == nil, r.Err
}

func (d *ListDecoder) ref() object.Ref {
	r := &d.Fields
	var ref object.Ref
	switch n := r.Uint(uint64(len(d.Known))); {
	case r.Err != nil:
	case n == 0:
		copy(ref.Chunk[:], r.Take(len(ref.Chunk)))
		d.Known = append(d.Known, ref.Chunk)
	default:
		ref.Chunk = d.Known[n-1]
	}
	ref.Offset = uint32(r.Uint(object.MaxChunk))
	ref.Length = uint32(r.Uint(object.MaxChunk))
	ref.Rows = uint32(r.Uint(object.MaxChunk))
	return ref
}

// CheckPath returns an error for a path that stage.Entry does not allow: a forged
// snapshot must not make a restore write outside its root.
func CheckPath(path string) error {
	if path == "" || strings.IndexByte(path, 0) >= 0 {
		return fmt.Errorf("entry path %q is empty or contains NUL", path)
	}
	for element := range strings.SplitSeq(path, "/") {
		if element == "" || element == "." || element == ".." {
			return fmt.Errorf("entry path %q must be relative and clean", path)
		}
	}
	return nil
}

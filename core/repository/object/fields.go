package object

import (
	"encoding/binary"
	"fmt"

	"github.com/lmsvault/vault/core/stage"
)

// FieldReader decodes fields from a byte slice. After the first error all methods
// return zero values, and End returns that error, so callers check once.
type FieldReader struct {
	Rest []byte
	Err  error
}

// Fail records an error unless there is one already.
func (r *FieldReader) Fail(format string, args ...any) {
	if r.Err == nil {
		r.Err = fmt.Errorf("%w: "+format, append([]any{stage.ErrCorrupt}, args...)...)
		r.Rest = nil
	}
}

// Take returns the next n bytes, which alias the input, or nil after an error.
func (r *FieldReader) Take(n int) []byte {
	if r.Err == nil && n > len(r.Rest) {
		r.Fail("unexpected end of data")
	}
	if r.Err != nil {
		return nil
	}
	b := r.Rest[:n:n]
	r.Rest = r.Rest[n:]
	return b
}

// Byte reads one byte.
func (r *FieldReader) Byte() byte {
	if b := r.Take(1); b != nil {
		return b[0]
	}
	return 0
}

// Uint reads a uvarint of at most limit.
func (r *FieldReader) Uint(limit uint64) uint64 {
	if r.Err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.Rest)
	if n <= 0 || v > limit {
		r.Fail("invalid number, or above %d", limit)
		return 0
	}
	r.Rest = r.Rest[n:]
	return v
}

// Int reads a varint.
func (r *FieldReader) Int() int64 {
	if r.Err != nil {
		return 0
	}
	v, n := binary.Varint(r.Rest)
	if n <= 0 {
		r.Fail("invalid number")
		return 0
	}
	r.Rest = r.Rest[n:]
	return v
}

// Count reads the number of items that follow, of at least size bytes each. It fails
// if the input is too short for them, so a forged count can't exhaust memory.
func (r *FieldReader) Count(size int) int {
	return int(r.Uint(uint64(len(r.Rest) / size)))
}

// Bytes reads a length and that many bytes.
func (r *FieldReader) Bytes() []byte { return r.Take(int(r.Uint(uint64(len(r.Rest))))) }

// Version reads a version byte and fails unless it is want.
func (r *FieldReader) Version(want byte) {
	if v := r.Byte(); r.Err == nil && v != want {
		r.Err = fmt.Errorf("unsupported version %d (this vault supports %d)", v, want)
	}
}

// End returns the first error. Unread bytes are an error, too.
func (r *FieldReader) End() error {
	if r.Err == nil && len(r.Rest) > 0 {
		r.Fail("%d unexpected bytes at the end", len(r.Rest))
	}
	return r.Err
}

package object

import (
	"encoding/binary"
	"fmt"

	"github.com/lmsvault/vault/core/stage"
)

// FieldReader takes fields from the front of bytes. After the first mistake it
// gives zeros, and end tells the mistake: callers check once.
type FieldReader struct {
	Rest []byte
	Err  error
}

func (r *FieldReader) Fail(format string, args ...any) {
	if r.Err == nil {
		r.Err = fmt.Errorf("%w: "+format, append([]any{stage.ErrCorrupt}, args...)...)
		r.Rest = nil
	}
}

// Take returns the next n bytes; they alias the input. After a mistake nil.
func (r *FieldReader) Take(n int) []byte {
	if r.Err == nil && n > len(r.Rest) {
		r.Fail("it is cut off")
	}
	if r.Err != nil {
		return nil
	}
	b := r.Rest[:n:n]
	r.Rest = r.Rest[n:]
	return b
}

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
		r.Fail("a number is cut off or above %d", limit)
		return 0
	}
	r.Rest = r.Rest[n:]
	return v
}

func (r *FieldReader) Int() int64 {
	if r.Err != nil {
		return 0
	}
	v, n := binary.Varint(r.Rest)
	if n <= 0 {
		r.Fail("a number is cut off")
		return 0
	}
	r.Rest = r.Rest[n:]
	return v
}

// Count reads how many items follow that have at least size bytes each, so that
// no count asks for more memory than its input has.
func (r *FieldReader) Count(size int) int {
	return int(r.Uint(uint64(len(r.Rest) / size)))
}

// Bytes reads a length and that many bytes.
func (r *FieldReader) Bytes() []byte { return r.Take(int(r.Uint(uint64(len(r.Rest))))) }

func (r *FieldReader) Version(want byte) {
	if v := r.Byte(); r.Err == nil && v != want {
		r.Err = fmt.Errorf("it has version %d, and this version of vault knows %d", v, want)
	}
}

// End returns the first mistake; bytes that are left are one.
func (r *FieldReader) End() error {
	if r.Err == nil && len(r.Rest) > 0 {
		r.Fail("%d bytes too many", len(r.Rest))
	}
	return r.Err
}

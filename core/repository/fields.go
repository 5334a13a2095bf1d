package repository

import (
	"encoding/binary"
	"fmt"

	"github.com/lmsvault/vault/core/stage"
)

// fieldReader takes fields from the front of bytes. After the first mistake it
// gives zeros, and end tells the mistake: callers check once.
type fieldReader struct {
	rest []byte
	err  error
}

func (r *fieldReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: "+format, append([]any{stage.ErrCorrupt}, args...)...)
		r.rest = nil
	}
}

// take returns the next n bytes; they alias the input. After a mistake nil.
func (r *fieldReader) take(n int) []byte {
	if r.err == nil && n > len(r.rest) {
		r.fail("it is cut off")
	}
	if r.err != nil {
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *fieldReader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

// uint reads a uvarint of at most limit.
func (r *fieldReader) uint(limit uint64) uint64 {
	if r.err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > limit {
		r.fail("a number is cut off or above %d", limit)
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *fieldReader) int() int64 {
	if r.err != nil {
		return 0
	}
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.fail("a number is cut off")
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// count reads how many items follow that have at least size bytes each, so that
// no count asks for more memory than its input has.
func (r *fieldReader) count(size int) int {
	return int(r.uint(uint64(len(r.rest) / size)))
}

// bytes reads a length and that many bytes.
func (r *fieldReader) bytes() []byte { return r.take(int(r.uint(uint64(len(r.rest))))) }

func (r *fieldReader) version(want byte) {
	if v := r.byte(); r.err == nil && v != want {
		r.err = fmt.Errorf("it has version %d, and this version of vault knows %d", v, want)
	}
}

// end returns the first mistake; bytes that are left are one.
func (r *fieldReader) end() error {
	if r.err == nil && len(r.rest) > 0 {
		r.fail("%d bytes too many", len(r.rest))
	}
	return r.err
}

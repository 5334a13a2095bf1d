package sdk

import "sync"

// maxKept is how large a buffer may be to be kept for the next call: a pack of
// a repository and somewhat more.
const maxKept = 40 << 20

// buffers are used again by later calls. It is safe for concurrent use; the zero
// value is ready.
type buffers struct{ pool sync.Pool }

// get returns an empty buffer with room for n bytes.
func (b *buffers) get(n int) *[]byte {
	buf, ok := b.pool.Get().(*[]byte)
	if !ok {
		buf = new([]byte)
	}
	if cap(*buf) < n {
		*buf = make([]byte, 0, n)
	}
	*buf = (*buf)[:0]
	return buf
}

// put gives a buffer back; nobody may use it any more.
func (b *buffers) put(buf *[]byte) {
	if cap(*buf) <= maxKept {
		b.pool.Put(buf)
	}
}

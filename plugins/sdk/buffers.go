package sdk

import "sync"

// maxKept is the maximum size of a buffer kept for the next call: a pack of a repository
// and some more.
const maxKept = 40 << 20

// buffers is a pool of buffers. It is safe for concurrent use; the zero value is ready.
type buffers struct{ pool sync.Pool }

// get returns an empty buffer with a capacity of at least n bytes.
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

// put returns a buffer to the pool; the caller must not use it afterwards.
func (b *buffers) put(buf *[]byte) {
	if cap(*buf) <= maxKept {
		b.pool.Put(buf)
	}
}

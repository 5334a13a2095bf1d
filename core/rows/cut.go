package rows

import "github.com/zeebo/xxh3"

// Limits of a chunk in bytes, see Cutter.
const (
	MinChunk  = 512 << 10 // no cut before that
	MeanChunk = 1 << 20   // expected bytes between MinChunk and a cut
	MaxChunk  = 8 << 20   // a cut before a record that would pass it
)

// Cutter decides where a run of records (rows, small files) is cut into chunks.
// It cuts after records chosen by a hash of their key and in proportion to
// their size, so that inserting, changing or deleting a record changes the chunk it is in and
// the cuts after it stay where they were. The zero value is ready; not safe for
// concurrent use.
type Cutter struct{ size int }

// Before tells whether to cut before a record of n bytes: it would not fit any more.
// The caller cuts, then calls After for the record.
func (c *Cutter) Before(n int) bool {
	if c.size > 0 && c.size+n > MaxChunk {
		c.size = 0
		return true
	}
	return false
}

// After counts a record of n bytes and tells whether to cut after it.
func (c *Cutter) After(key []byte, n int) bool {
	c.size += n
	if c.size >= MaxChunk {
		c.size = 0
		return true
	}
	if c.size < MinChunk {
		return false
	}
	if xxh3.Hash(key)>>44 >= uint64(min(n, MeanChunk)) { // 20 bits, as MeanChunk is 2^20: chance n/MeanChunk
		return false
	}
	c.size = 0
	return true
}

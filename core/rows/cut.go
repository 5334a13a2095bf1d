package rows

import "github.com/zeebo/xxh3"

// Chunk limits in bytes; see Cutter.
const (
	MinChunk  = 512 << 10 // no cut below this size
	MeanChunk = 1 << 20   // expected bytes between MinChunk and a cut
	MaxChunk  = 8 << 20   // always cut before a record that would exceed it
)

// Cutter decides where a sequence of records (rows, small files) is cut into chunks.
// It cuts after records chosen by a hash of their key, with a probability
// proportional to their size. Inserting, changing or deleting a record therefore
// changes only the chunk around it; later cuts stay where they were. The zero value
// is ready to use. It is not safe for concurrent use.
type Cutter struct{ size int }

// Before reports whether to cut before a record of n bytes because it no longer fits.
// The caller cuts, then calls After for the record.
func (c *Cutter) Before(n int) bool {
	if c.size > 0 && c.size+n > MaxChunk {
		c.size = 0
		return true
	}
	return false
}

// After counts a record of n bytes and reports whether to cut after it.
func (c *Cutter) After(key []byte, n int) bool {
	c.size += n
	if c.size >= MaxChunk {
		c.size = 0
		return true
	}
	if c.size < MinChunk {
		return false
	}
	if xxh3.Hash(key)>>44 >= uint64(min(n, MeanChunk)) { // 20 bits, as MeanChunk is 2^20: probability n/MeanChunk
		return false
	}
	c.size = 0
	return true
}

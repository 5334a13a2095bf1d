package pack

import (
	"sync"

	"github.com/lmsvault/vault/core/repository/object"
)

// location is where a chunk is stored.
type location struct {
	pack   uint32 // position in Index.packs
	Offset uint32
	length uint32 // sealed bytes
	Plain  uint32 // bytes
}

// Index maps chunks to their locations. It uses about sixty bytes of memory for each
// chunk, and is safe for concurrent use.
type Index struct {
	mu     sync.RWMutex
	chunks map[object.ID]location
	packs  []string               // names
	taken  map[object.ID]struct{} // currently being stored
}

// NewIndex returns an empty index.
func NewIndex() *Index {
	return &Index{chunks: map[object.ID]location{}, taken: map[object.ID]struct{}{}}
}

// Find returns the location of a chunk and the name of its pack.
func (x *Index) Find(id object.ID) (location, string, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	at, ok := x.chunks[id]
	if !ok {
		return location{}, "", false
	}
	return at, x.packs[at.pack], true
}

// Has reports whether the index contains the chunk.
func (x *Index) Has(id object.ID) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	_, ok := x.chunks[id]
	return ok
}

// claim returns true to exactly one caller for each chunk that is not stored yet. That
// caller must store it.
func (x *Index) claim(id object.ID) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if _, ok := x.chunks[id]; ok {
		return false
	}
	if _, ok := x.taken[id]; ok {
		return false
	}
	x.taken[id] = struct{}{}
	return true
}

// newPack adds the name of a pack and returns its position.
func (x *Index) newPack(name string) uint32 {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.packs = append(x.packs, name)
	return uint32(len(x.packs) - 1)
}

// put records the location of a chunk, unless the index has one already.
func (x *Index) put(id object.ID, at location) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.taken, id)
	if _, ok := x.chunks[id]; !ok {
		x.chunks[id] = at
	}
}

// addPack adds all chunks of a pack.
func (x *Index) addPack(p Pack) {
	n := x.newPack(p.Name)
	var offset uint32
	for _, b := range p.Blobs {
		x.put(b.ID, location{n, offset, b.Length, b.Plain})
		offset += b.Length
	}
}

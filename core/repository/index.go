package repository

import (
	"sync"
)

// location is where a chunk is stored.
type location struct {
	pack   uint32 // number in index.packs
	offset uint32
	length uint32 // sealed bytes
	plain  uint32 // bytes
}

// index tells where chunks are: some sixty bytes of memory for each. It is safe
// for concurrent use.
type index struct {
	mu     sync.RWMutex
	chunks map[ID]location
	packs  []string        // names
	taken  map[ID]struct{} // being stored at this moment
}

func newIndex() *index { return &index{chunks: map[ID]location{}, taken: map[ID]struct{}{}} }

// find tells where a chunk is stored.
func (x *index) find(id ID) (location, string, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	at, ok := x.chunks[id]
	if !ok {
		return location{}, "", false
	}
	return at, x.packs[at.pack], true
}

func (x *index) has(id ID) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	_, ok := x.chunks[id]
	return ok
}

// claim returns true to exactly one caller for each chunk that is not stored
// yet: that one must store it.
func (x *index) claim(id ID) bool {
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

// newPack gives a pack its number.
func (x *index) newPack(name string) uint32 {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.packs = append(x.packs, name)
	return uint32(len(x.packs) - 1)
}

// put says where a chunk is; the first place that is said stays.
func (x *index) put(id ID, at location) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.taken, id)
	if _, ok := x.chunks[id]; !ok {
		x.chunks[id] = at
	}
}

// addPack enters a whole pack.
func (x *index) addPack(p pack) {
	n := x.newPack(p.name)
	var offset uint32
	for _, b := range p.blobs {
		x.put(b.id, location{n, offset, b.length, b.plain})
		offset += b.length
	}
}

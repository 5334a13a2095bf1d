package sdk

import (
	"fmt"
	"sync"

	"github.com/lmsvault/vault/plugins/protocol"
)

// maxHeld is how many bytes a plugin holds at most: more than all packs that a
// repository has under way.
const maxHeld = 1<<31 - 1

// held is what byte transforms made and storages of this process hold until it
// is put. It is safe for concurrent use.
type held struct {
	mu     sync.Mutex
	last   uint64
	bytes  int
	pieces map[uint64]piece
}

type piece struct {
	owner uint64 // the storage's instance
	data  *[]byte
}

// keep holds data for a storage, and returns its ticket.
func (h *held) keep(owner uint64, data *[]byte) (uint64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.bytes+len(*data) > maxHeld {
		return 0, fmt.Errorf("%d MiB are held already, and nothing of it is put", h.bytes>>20)
	}
	if h.pieces == nil {
		h.pieces = map[uint64]piece{}
	}
	h.last++
	h.bytes += len(*data)
	h.pieces[h.last] = piece{owner, data}
	return h.last, nil
}

// get returns what is held under a ticket for an owner.
func (h *held) get(owner, ticket uint64) (*[]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, ok := h.pieces[ticket]
	if !ok || p.owner != owner {
		return nil, fmt.Errorf("%w: nothing is held under ticket %d", protocol.ErrStream, ticket)
	}
	return p.data, nil
}

// drop gives up what is held under the tickets.
func (h *held) drop(pool *buffers, tickets ...uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, ticket := range tickets {
		if p, ok := h.pieces[ticket]; ok {
			h.bytes -= len(*p.data)
			delete(h.pieces, ticket)
			pool.put(p.data)
		}
	}
}

// close gives up all that is held for an owner.
func (h *held) close(owner uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ticket, p := range h.pieces {
		if p.owner == owner {
			h.bytes -= len(*p.data)
			delete(h.pieces, ticket)
		}
	}
}

package engine

import "github.com/lmsvault/vault/core/config"

// What a run needs of memory: each worker a chunk as read, one rewritten or
// compressed, one sealed, and the buffers of a driver; besides, packs in flight
// and the program itself.
const (
	perWorker = 24 << 20
	fixed     = 80 << 20
)

// Workers lowers the wished number of workers until they fit the memory budget.
func Workers(wished int, memory config.Size) int {
	fit := (int64(memory) - fixed) / perWorker
	return int(max(1, min(int64(wished), fit)))
}

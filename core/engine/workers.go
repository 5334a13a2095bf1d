package engine

import "github.com/lmsvault/vault/core/config"

// Memory needed by a run: each worker holds a chunk as read, one rewritten or compressed,
// one encrypted, and the buffers of a driver. In addition there are packs in flight and the
// program itself.
const (
	perWorker = 24 << 20
	fixed     = 80 << 20
)

// Workers reduces the requested number of workers to what fits the memory budget.
func Workers(wished int, memory config.Size) int {
	fit := (int64(memory) - fixed) / perWorker
	return int(max(1, min(int64(wished), fit)))
}

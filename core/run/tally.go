package run

import (
	"sync"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

// tally sums up the rows of one table over its units. Safe for concurrent use.
type tally struct {
	schema schema.Table
	stored *rows.Sum // what the source's snapshot says, if it is one

	mu      sync.Mutex
	sum     rows.Sum
	refused map[*Target]*rows.Sum // negative: what each target refused
}

func (t *tally) merge(sum rows.Sum) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sum.Merge(sum)
}

func (t *tally) refuse(target *Target, row []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.refused == nil {
		t.refused = map[*Target]*rows.Sum{}
	}
	if t.refused[target] == nil {
		t.refused[target] = &rows.Sum{}
	}
	t.refused[target].Remove(row)
}

func (t *tally) total() rows.Sum {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sum
}

// of returns what a target must hold: all rows without those it refused.
func (t *tally) of(target *Target) rows.Sum {
	t.mu.Lock()
	defer t.mu.Unlock()
	sum := t.sum
	if minus := t.refused[target]; minus != nil {
		sum.Merge(*minus)
	}
	return sum
}

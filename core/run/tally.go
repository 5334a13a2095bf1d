package run

import (
	"fmt"
	"sync"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/selection"
)

// tally sums up the rows of one table over its units. Safe for concurrent use.
type tally struct {
	schema schema.Table
	stored *rows.Sum // what the source's snapshot says, if it is one
	filter *selection.Filter

	mu      sync.Mutex
	sum     rows.Sum
	counted *int64                // rows, by the source without reading them; nil if it can't tell
	lost    int64                 // rows that the source read and could not give
	damaged int64                 // rows that the source's snapshot names and could not give
	refused map[*Target]*rows.Sum // negative: what each target refused
}

func (t *tally) merge(sum rows.Sum) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sum.Merge(sum)
}

// damage counts rows that are damaged where they are stored.
func (t *tally) damage(rows int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.damaged += rows
}

// lose counts rows that the source could not give.
func (t *tally) lose(rows int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lost += rows
}

// count keeps the number of rows that the source has counted.
func (t *tally) count(rows int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counted = &rows
}

// uncounted says how the rows that were read differ from those that the source
// has counted, "" if they don't.
func (t *tally) uncounted() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counted == nil || *t.counted == t.sum.Rows+t.lost {
		return ""
	}
	return fmt.Sprintf("its source counts %d rows, and %d were read", *t.counted, t.sum.Rows+t.lost)
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

func (t *tally) total() (sum rows.Sum, damaged int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sum, t.damaged
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

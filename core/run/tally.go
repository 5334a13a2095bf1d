package run

import (
	"fmt"
	"sync"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/selection"
)

// tally sums up the rows of one table over its units. It is safe for concurrent use.
type tally struct {
	schema schema.Table
	stored *rows.Sum // from the snapshot, if the source is one
	filter *selection.Filter

	mu      sync.Mutex
	sum     rows.Sum
	counted *int64                // rows that the source counted without reading; nil if unknown
	lost    int64                 // rows that the source read but could not deliver
	damaged int64                 // rows that are damaged in the source's snapshot
	refused map[*Target]*rows.Sum // negative: the rows each target rejected
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

// lose counts rows that the source could not deliver.
func (t *tally) lose(rows int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lost += rows
}

// count stores the number of rows that the source counted.
func (t *tally) count(rows int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counted = &rows
}

// uncounted describes the difference between the rows read and the rows counted by
// the source, "" if none.
func (t *tally) uncounted() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counted == nil || *t.counted == t.sum.Rows+t.lost {
		return ""
	}
	return fmt.Sprintf("the source counts %d rows, but %d were read", *t.counted, t.sum.Rows+t.lost)
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

// of returns the sum of the rows that a target must hold: all except those it
// rejected.
func (t *tally) of(target *Target) rows.Sum {
	t.mu.Lock()
	defer t.mu.Unlock()
	sum := t.sum
	if minus := t.refused[target]; minus != nil {
		sum.Merge(*minus)
	}
	return sum
}

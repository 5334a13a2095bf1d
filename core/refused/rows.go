// Package refused records the rows that a database rejects and bounds their number
// per unit. All database sinks use it, so that they report rejected rows in the same
// way.
package refused

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// Rows is the list of rejected rows of one unit, kept until the run has counted them.
// The zero value is empty. It is not safe for concurrent use.
type Rows struct {
	losses []stage.Loss
	bytes  int
}

// Limits per unit: a table with more rejected rows than this does not fit its target,
// and the run stops.
const (
	most      = 10_000
	mostBytes = 32 << 20
)

// Add adds losses made by Loss. It returns an error if the unit has too many.
func (r *Rows) Add(all ...stage.Loss) error {
	for _, l := range all {
		r.losses = append(r.losses, l)
		r.bytes += len(l.Row)
	}
	if n := len(r.losses); n > most || n > 1 && r.bytes > mostBytes { // a single large row is allowed
		last := r.losses[n-1]
		return fmt.Errorf("the database rejected more than %d rows or %d MiB of one unit; the last one, %s: %s", most, mostBytes>>20, last.Where, last.Reason)
	}
	return nil
}

// Count returns the number of rows.
func (r *Rows) Count() int64 { return int64(len(r.losses)) }

// Losses returns the losses that were added, for a receipt. The slice belongs to r.
func (r *Rows) Losses() []stage.Loss { return r.losses }

// Loss returns the loss of one row, which is given without its newline and copied.
// column is the column that the database rejected, or "" if unknown.
func Loss(t *schema.Table, row []byte, column, reason string) stage.Loss {
	where := key(t, row)
	if column != "" {
		where = strings.TrimSpace(where + " column " + column)
	}
	return stage.Loss{Kind: stage.LossRow, Path: stage.DB + "/" + t.Name, Where: where, Reason: reason, Count: 1, Row: bytes.Clone(row)}
}

// longest is the maximum number of bytes of a value that identifies a row.
const longest = 100

// key identifies a row by the table's key, or else by its first column, as in id=5.
func key(t *schema.Table, row []byte) string {
	cells := rows.Split(nil, row)
	at := t.Key()
	if len(at) == 0 {
		at = []int{0}
	}
	var parts []string
	for _, k := range at {
		if k >= len(cells) || k >= len(t.Columns) {
			continue
		}
		value, err := rows.Unescape(nil, cells[k])
		if err != nil {
			value = cells[k]
		}
		parts = append(parts, t.Columns[k].Name+"="+string(value[:min(len(value), longest)]))
	}
	return strings.Join(parts, " ")
}

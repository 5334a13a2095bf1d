// Package refused names the rows that a database doesn't take, and bounds how many
// of them a unit may have. All sinks of databases say it the same way.
package refused

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// Rows are the refused rows of one unit. They are kept until the run has counted
// them. The zero value has none. Not safe for concurrent use.
type Rows struct {
	losses []stage.Loss
	bytes  int
}

// What a unit remembers is bounded: a table of which so much is refused doesn't fit
// its target, and is not worth going on with.
const (
	most      = 10_000
	mostBytes = 32 << 20
)

// Add adds losses that Loss has made. It is an error when a unit has too many.
func (r *Rows) Add(all ...stage.Loss) error {
	for _, l := range all {
		r.losses = append(r.losses, l)
		r.bytes += len(l.Row)
	}
	if n := len(r.losses); n > most || n > 1 && r.bytes > mostBytes { // a large row alone is no sign of that
		last := r.losses[n-1]
		return fmt.Errorf("the database refuses more than %d rows or %d MiB of one unit, the last at %s: %s", most, mostBytes>>20, last.Where, last.Reason)
	}
	return nil
}

// Count is how many rows there are.
func (r *Rows) Count() int64 { return int64(len(r.losses)) }

// Losses are those that were added, for a receipt; they belong to r.
func (r *Rows) Losses() []stage.Loss { return r.losses }

// Loss is the loss of one row, given without its newline, which is copied. column
// is the one that the database finds wrong, "" if it doesn't say.
func Loss(t *schema.Table, row []byte, column, reason string) stage.Loss {
	where := key(t, row)
	if column != "" {
		where = strings.TrimSpace(where + " column " + column)
	}
	return stage.Loss{Kind: stage.LossRow, Path: stage.DB + "/" + t.Name, Where: where, Reason: reason, Count: 1, Row: bytes.Clone(row)}
}

// longest is how many bytes of a value name a row.
const longest = 100

// key names a row by the table's key, or by its first column: id=5.
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

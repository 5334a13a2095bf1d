// Package edit describes changes of a site's rows, in a form that serves both for rows on
// their way into a target and for those of a live database.
package edit

import (
	"context"

	"github.com/lmsvault/vault/core/schema"
)

// Edit is a set of changes. It is safe for concurrent use.
type Edit interface {
	// Table returns what is changed in the rows of a table, or nil for nothing. It may be
	// called several times for a table. The table must not be changed.
	Table(ctx context.Context, t *schema.Table) (Change, error)
}

// Change changes the rows of one table. It is safe for concurrent use.
type Change interface {
	// Columns are the positions, in the table, of the columns that Row gets. Row must not be
	// called for tables without them.
	Columns() []int
	// Row decides about one row and may change values, which has one value for each of
	// Columns. A row is changed the same way each time; one that was changed before is kept
	// as it is wherever that can be told.
	Row(values []Value) (Verdict, error)
	// Added lists rows to add, by column; columns that are missing get their default, and
	// id the next number. Row drops rows that would be the same as an added one.
	Added() []map[string]Value
}

// Value is a value in its canonical text, see package rows.
type Value struct {
	Text string
	Null bool
}

// Verdict is what happens to a row.
type Verdict int

// The verdicts.
const (
	Keep    Verdict = iota // as it is
	Changed                // with changed values
	Drop
)

// Count is what an Edit does to one table.
type Count struct {
	Table   string `json:"table"`
	Changed int64  `json:"changed,omitempty"` // rows
	Dropped int64  `json:"dropped,omitempty"`
	Added   int64  `json:"added,omitempty"`
}

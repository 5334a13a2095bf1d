// Package edit describes changes of a site's rows, in a form that serves both for rows on
// their way into a target and for those of a live database.
//
// An Edit says what changes. Transform applies it to the rows of a run; Edit of package
// dialects/database applies it to a site's database.
package edit

import (
	"context"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// Edit is a set of changes. It is safe for concurrent use.
type Edit interface {
	// Table returns what is changed in the rows of a table, or nil for nothing. It may be
	// called several times for a table. The table must not be changed.
	Table(ctx context.Context, t *schema.Table) (Change, error)
}

// Preparer is an optional interface of an Edit that depends on what a run reads, such as
// the address in the facts of a snapshot.
type Preparer interface {
	Edit
	// Prepare is called once, before Table, as is that of stage.Preparer. It is not called
	// for a live database.
	Prepare(ctx context.Context, p *stage.Plan) (stage.Findings, error)
}

// Change changes the rows of one table. It is safe for concurrent use.
type Change interface {
	// Columns are the positions, in the table, of the columns that Row gets, without
	// duplicates. Row is not called if there are none.
	Columns() []int
	// Row decides about one row and may change values, which has one value for each of
	// Columns. It must not keep the slice. The verdict depends on nothing but the values: a
	// row is changed the same way each time, and one that was changed before is kept as it
	// is wherever that can be told.
	Row(values []Value) (Verdict, error)
	// Added lists rows to add, by column; columns that are missing get their default, and
	// the column with the table's sequence the next number. Row drops rows that would be
	// the same as an added one.
	Added() []map[string]Value
}

// Narrow is an optional interface of a Change that concerns only rows with certain texts.
type Narrow interface {
	Change
	// Texts lists texts of printable ASCII characters, without backslashes. Row is called
	// only for rows that have one of them, byte for byte, in a value of Columns, none of
	// which may be binary. None means that Row is called for all rows.
	Texts() []string
}

// Value is a value in its canonical text, see package rows.
type Value struct {
	Text string
	Null bool
	// Left, if set by Row, says why the value is left as it is although it should have been
	// changed. It is reported with the table, the column and the row's key. It does not
	// make the row a changed one.
	Left string
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
	Table   string           `json:"table"`
	Changed int64            `json:"changed,omitempty"` // rows
	Dropped int64            `json:"dropped,omitempty"`
	Added   int64            `json:"added,omitempty"`
	Columns map[string]int64 `json:"columns,omitempty"` // changed values by column
	Left    []Left           `json:"left,omitempty"`    // at most MaxLeft
	More    int64            `json:"more,omitempty"`    // values that were left but are not listed
}

// Nothing reports whether the table stays as it is, with nothing to report.
func (c *Count) Nothing() bool {
	return c.Changed == 0 && c.Dropped == 0 && c.Added == 0 && len(c.Left) == 0
}

// MaxLeft is the maximum number of values that are listed for a table.
const MaxLeft = 100

// Left is a value that was left as it is, see Value.Left.
type Left struct {
	Table  string `json:"table"`
	Column string `json:"column"`
	Key    string `json:"key,omitempty"` // of the row: id=5
	Reason string `json:"reason"`
}

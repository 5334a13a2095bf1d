package sqlite

import (
	"context"
	"fmt"

	dialect "github.com/lmsvault/vault/dialects/sqlite"

	"github.com/lmsvault/vault/core/refused"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// unit takes the rows of one unit.
type unit struct {
	sink    *Sink
	id      string
	table   *schema.Table
	insert  *dialect.Inserter
	written bool
	rows    int64 // that came
	done    bool
	refused refused.Rows
}

func (u *unit) Write(ctx context.Context, c stage.Chunk) error {
	u.written = true
	u.rows += int64(c.Rows)
	if err := u.insert.Chunk(ctx, c.Data, u.refuse); err != nil {
		return fmt.Errorf("unit %s: %w", u.id, u.sink.explain(err))
	}
	return nil
}

// refuse notes down a row that SQLite doesn't take.
func (u *unit) refuse(row []byte, why *dialect.Refusal) error {
	if err := u.refused.Add(refused.Loss(u.table, row, why.Column, why.Reason)); err != nil {
		return fmt.Errorf("table %s: %w", u.table.Name, err)
	}
	return nil
}

// Loss does nothing: what the source lost is counted by the engine.
func (u *unit) Loss(context.Context, stage.Loss) error { return nil }

// Commit ends the unit. The file as a whole becomes safe with Finish.
func (u *unit) Commit(ctx context.Context) (*stage.Receipt, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if u.done {
		return nil, fmt.Errorf("unit %s: is done already", u.id)
	}
	u.done = true
	u.sink.closed(u.id, "")
	return &stage.Receipt{Rows: u.rows - u.refused.Count(), Losses: u.refused.Losses()}, u.insert.Close()
}

// Abort takes the unit's rows back. Of a table without rowids it can do so only as
// long as they are the only ones; else the file is not finished.
func (u *unit) Abort(ctx context.Context) error {
	if u.done {
		return nil
	}
	u.done = true
	if !u.written {
		u.sink.closed(u.id, "")
		return u.insert.Close()
	}
	left := ""
	if dialect.RowidName(u.table) == "" && !u.sink.alone(u.table.Name) {
		left = "they can't be told from others"
	} else if err := u.sink.explain(u.insert.TakeBack(context.WithoutCancel(ctx))); err != nil {
		left = err.Error() // Finish says it; a file that is full, for one, is given up as a whole
	}
	u.sink.closed(u.id, left)
	return u.insert.Close()
}

package sqlite

import (
	"context"
	"fmt"

	dialect "github.com/lmsvault/vault/dialects/sqlite"

	"github.com/lmsvault/vault/core/refused"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// unit writes the rows of one unit.
type unit struct {
	sink    *Sink
	id      string
	table   *schema.Table
	insert  *dialect.Inserter
	written bool
	rows    int64 // rows written
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

// refuse records a row that SQLite rejected.
func (u *unit) refuse(row []byte, why *dialect.Refusal) error {
	if err := u.refused.Add(refused.Loss(u.table, row, why.Column, why.Reason)); err != nil {
		return fmt.Errorf("table %s: %w", u.table.Name, err)
	}
	return nil
}

// Loss ignores losses of the source, which the engine counts.
func (u *unit) Loss(context.Context, stage.Loss) error { return nil }

// Commit ends the unit. Finish makes the whole file durable.
func (u *unit) Commit(ctx context.Context) (*stage.Receipt, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if u.done {
		return nil, fmt.Errorf("unit %s has already ended", u.id)
	}
	u.done = true
	u.sink.closed(u.id, "")
	return &stage.Receipt{Rows: u.rows - u.refused.Count(), Losses: u.refused.Losses()}, u.insert.Close()
}

// Abort removes the unit's rows. In a table without rowids it can do so only if they
// are the only ones; otherwise the file is not finished.
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
		left = "they cannot be distinguished from other rows"
	} else if err := u.sink.explain(u.insert.TakeBack(context.WithoutCancel(ctx))); err != nil {
		left = err.Error() // Finish reports it; for example, a full file is abandoned as a whole
	}
	u.sink.closed(u.id, left)
	return u.insert.Close()
}

package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	dialect "github.com/lmsvault/vault/dialects/sqlite"

	"github.com/lmsvault/vault/core/rows"
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
	refused []stage.Loss
	held    int // bytes of the refused rows
}

// Refused rows are kept until the run has counted them. A unit of which so much
// is refused is not worth going on with.
const (
	mostRefused      = 10_000
	mostRefusedBytes = 32 << 20
)

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
	where := u.key(row)
	if why.Column != "" {
		where = strings.TrimSpace(where + " column " + why.Column)
	}
	u.refused = append(u.refused, stage.Loss{
		Kind: stage.LossRow, Path: stage.DB + "/" + u.table.Name, Where: where, Reason: why.Reason, Count: 1, Row: bytes.Clone(row),
	})
	if u.held += len(row); len(u.refused) > mostRefused || len(u.refused) > 1 && u.held > mostRefusedBytes { // a large row alone is no sign of that
		return fmt.Errorf("table %s: SQLite refuses more than %d rows or %d MiB of one unit, the last at %s: %s",
			u.table.Name, mostRefused, mostRefusedBytes>>20, where, why.Reason)
	}
	return nil
}

// key names a row by its key, or else by its first column.
func (u *unit) key(row []byte) string {
	cells := rows.Split(nil, row)
	at := u.table.Key()
	if len(at) == 0 {
		at = []int{0}
	}
	var parts []string
	for _, i := range at {
		if i < len(cells) {
			parts = append(parts, u.table.Columns[i].Name+"="+string(cells[i][:min(len(cells[i]), 60)]))
		}
	}
	return strings.Join(parts, " ")
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
	return &stage.Receipt{Rows: u.rows - int64(len(u.refused)), Losses: u.refused}, u.insert.Close()
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

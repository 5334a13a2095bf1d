package run

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// mapping is the result of the record transforms for one table and one target.
type mapping struct {
	steps   []stage.Mapped
	with    []stage.RecordTransform
	schema  schema.Table
	rewrite bool
	adds    string // ID of the unit with which the added rows are written, "" for none

	mu sync.Mutex
	// sum is the checksum of the rows that the target must hold, if they differ from
	// the source's.
	sum     rows.Sum
	dropped int64 // rows that the transforms dropped
	added   int64 // rows that the transforms added
	edited  int64 // rows whose values the transforms changed, see stage.CountChanged
}

// mapTable passes a table through the transforms for a target's dialect.
func mapTable(ctx context.Context, t schema.Table, dialect string, transforms []stage.RecordTransform) (*mapping, []stage.Loss, []stage.Note, error) {
	m := &mapping{schema: t}
	var losses []stage.Loss
	var notes []stage.Note
	for _, transform := range transforms {
		step, err := transform.Table(ctx, m.schema, dialect)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("table %s: %w", t.Name, err)
		}
		m.schema = step.Schema
		losses = append(losses, step.Losses...)
		notes = append(notes, step.Notes...)
		if _, ok := transform.(stage.Adder); step.Adds && !ok {
			return nil, nil, nil, fmt.Errorf("table %s: a transform says that it adds rows, but has none to add", t.Name)
		}
		if step.Rewrite || step.Adds {
			m.rewrite = true
			m.steps = append(m.steps, step)
			m.with = append(m.with, transform)
		}
	}
	return m, losses, notes, nil
}

// gets reports whether a transform adds rows to the table.
func (m *mapping) gets() bool {
	return slices.ContainsFunc(m.steps, func(s stage.Mapped) bool { return s.Adds })
}

// changed returns how many rows of the committed units the transforms dropped and added.
func (m *mapping) changed() (dropped, added int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dropped, m.added
}

// edits returns in how many rows of the committed units the transforms changed values.
func (m *mapping) edits() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.edited
}

// mappedUnit passes a table's chunks through the transforms before they reach a
// target's unit. It serves one attempt.
type mappedUnit struct {
	stage.RowUnit
	m        *mapping
	adds     bool // the rows that transforms add are written with this unit
	sum      rows.Sum
	dropped  int64
	added    int64
	edited   int64
	buf, alt []byte
}

func (u *mappedUnit) Write(ctx context.Context, c stage.Chunk) error { return u.write(ctx, c, 0) }

// Commit first writes the rows that transforms add.
func (u *mappedUnit) Commit(ctx context.Context) (*stage.Receipt, error) {
	for i, step := range u.m.steps {
		if !u.adds || !step.Adds {
			continue
		}
		data, n, err := u.m.with[i].(stage.Adder).Added(ctx, step, nil)
		if err != nil {
			return nil, fmt.Errorf("table %s: adding rows: %w", u.m.schema.Name, err)
		}
		u.added += int64(n)
		if err := u.add(ctx, data, n, i+1); err != nil {
			return nil, err
		}
	}
	return u.RowUnit.Commit(ctx)
}

// add passes n added rows through the steps from first on, in chunks of the usual size.
func (u *mappedUnit) add(ctx context.Context, data []byte, n, first int) error {
	var cut rows.Cutter
	var c stage.Chunk // the rows since the last cut
	flush := func() error {
		full := c
		c = stage.Chunk{}
		if full.Rows == 0 {
			return nil
		}
		return u.write(ctx, full, first)
	}
	given := 0
	for len(data) > 0 {
		row, rest, _, err := rows.Next(data[len(c.Data):])
		if err != nil {
			return fmt.Errorf("table %s: adding rows: %w", u.m.schema.Name, err)
		}
		size := len(row) + 1
		if cut.Before(size) {
			data = data[len(c.Data):]
			if err := flush(); err != nil {
				return err
			}
		}
		c = stage.Chunk{Data: data[:len(c.Data)+size], Rows: c.Rows + 1}
		given++
		if cut.After(row, size) || len(rest) == 0 {
			data = rest
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if given != n {
		return fmt.Errorf("table %s: a transform reported %d added rows, but returned %d", u.m.schema.Name, n, given)
	}
	return nil
}

// write passes a chunk through the steps from first on.
func (u *mappedUnit) write(ctx context.Context, c stage.Chunk, first int) error {
	given := c.Rows
	counting := stage.WithChanged(ctx, func(rows int64) { u.edited += rows })
	for i := first; i < len(u.m.steps); i++ {
		step := u.m.steps[i]
		if !step.Rewrite {
			continue
		}
		out, kept, err := u.m.with[i].Rows(counting, step, u.buf[:0], c)
		if err != nil {
			return fmt.Errorf("table %s: %w", u.m.schema.Name, err)
		}
		if kept < 0 || kept > c.Rows {
			return fmt.Errorf("table %s: a transform returned %d rows for %d, but must not add rows", u.m.schema.Name, kept, c.Rows)
		}
		c = stage.Chunk{Data: out, Rows: kept}
		u.buf, u.alt = u.alt, out
	}
	before := u.sum.Rows
	if err := u.sum.AddChunk(c.Data); err != nil {
		return fmt.Errorf("table %s after its transforms: %w", u.m.schema.Name, err)
	}
	if n := u.sum.Rows - before; n != int64(c.Rows) {
		return fmt.Errorf("table %s: a transform reported %d rows, but returned %d", u.m.schema.Name, c.Rows, n)
	}
	u.dropped += int64(given - c.Rows)
	if c.Rows == 0 {
		return nil
	}
	return u.RowUnit.Write(ctx, c)
}

// count counts what was committed.
func (u *mappedUnit) count() {
	u.m.mu.Lock()
	defer u.m.mu.Unlock()
	u.m.sum.Merge(u.sum)
	u.m.dropped += u.dropped
	u.m.added += u.added
	u.m.edited += u.edited
}

package run

import (
	"context"
	"fmt"
	"sync"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// mapping is what the record transforms make of one table for one target.
type mapping struct {
	steps  []stage.Mapped
	with   []stage.RecordTransform
	schema schema.Table
	// sum proves the rows as the target must hold them, where they differ from the source's.
	mu      sync.Mutex
	sum     rows.Sum
	rewrite bool
}

// mapTable takes a table through the transforms for a target's dialect.
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
		if step.Rewrite {
			m.rewrite = true
			m.steps = append(m.steps, step)
			m.with = append(m.with, transform)
		}
	}
	return m, losses, notes, nil
}

// mappedWriter rewrites a table's chunks before they reach a target's writer.
type mappedWriter struct {
	stage.UnitWriter
	m        *mapping
	sum      rows.Sum
	buf, alt []byte
}

func (w *mappedWriter) Write(ctx context.Context, c stage.Chunk) error {
	data := c.Data
	for i, step := range w.m.steps {
		out, err := w.m.with[i].Rows(ctx, step, w.buf[:0], data)
		if err != nil {
			return fmt.Errorf("table %s: %w", w.m.schema.Name, err)
		}
		data = out
		w.buf, w.alt = w.alt, out
	}
	if err := w.sum.AddChunk(data); err != nil {
		return fmt.Errorf("table %s after its transforms: %w", w.m.schema.Name, err)
	}
	return w.UnitWriter.Write(ctx, stage.Chunk{Data: data, Rows: c.Rows})
}

func (w *mappedWriter) Commit(ctx context.Context) error {
	if err := w.UnitWriter.Commit(ctx); err != nil {
		return err
	}
	w.m.mu.Lock()
	defer w.m.mu.Unlock()
	w.m.sum.Merge(w.sum)
	return nil
}

package selection

import (
	"context"
	"fmt"

	"github.com/lmsvault/vault/core/rows"
)

// Writer filters chunks of a table's rows for sources that cannot select rows while
// they read, and builds new chunks from the remaining rows. It is not safe for
// concurrent use.
type Writer struct {
	filter  *Filter
	key     []int
	out     *rows.Builder
	cells   [][]byte
	scratch []byte
}

// NewWriter returns a Writer that passes chunks to emit, like rows.NewBuilder.
func NewWriter(f *Filter, emit func(ctx context.Context, data []byte, rows int) error) *Writer {
	return &Writer{filter: f, key: f.table.Key(), out: rows.NewBuilder(emit)}
}

// Write filters the next rows. It does not retain data.
func (w *Writer) Write(ctx context.Context, data []byte) error {
	for {
		row, rest, ok, err := rows.Next(data)
		if !ok {
			return err
		}
		data = rest
		keep, err := w.filter.Keep(row)
		if err != nil {
			return err
		}
		if !keep {
			continue
		}
		w.cells, w.scratch = rows.Split(w.cells, row), w.scratch[:0]
		if n := len(w.filter.table.Columns); len(w.cells) != n {
			return fmt.Errorf("table %s: a row has %d columns instead of %d", w.filter.table.Name, len(w.cells), n)
		}
		for n, k := range w.key {
			if n > 0 {
				w.scratch = append(w.scratch, '\t')
			}
			w.scratch = append(w.scratch, w.cells[k]...)
		}
		w.out.Buf = append(w.out.Buf, row...)
		if err := w.out.End(ctx, w.scratch); err != nil {
			return err
		}
	}
}

// Flush emits the remaining rows.
func (w *Writer) Flush(ctx context.Context) error { return w.out.Flush(ctx) }

package rows

import "context"

// Builder puts rows together into chunks and hands them on. Append the cells of
// a row with tabs between them to Buf, then call End. The buffer is used again
// and again, so a chunk belongs to the Builder once emit has returned. Not safe
// for concurrent use.
type Builder struct {
	Buf  []byte
	emit func(ctx context.Context, data []byte, rows int) error
	cut  Cutter
	rows int
	from int // where the row under construction begins
}

// NewBuilder makes a Builder that hands chunks to emit.
func NewBuilder(emit func(ctx context.Context, data []byte, rows int) error) *Builder {
	return &Builder{emit: emit}
}

// Row returns the cells that were appended since the last End.
func (b *Builder) Row() []byte { return b.Buf[b.from:] }

// End finishes a row. key is what tells the row from others: its key cells as
// they stand in the row, joined by tabs; empty means the whole row. It may alias Buf.
func (b *Builder) End(ctx context.Context, key []byte) error {
	if len(key) == 0 {
		key = b.Row()
	}
	b.Buf = append(b.Buf, '\n')
	size := len(b.Buf) - b.from
	before := b.cut.Before(size)
	after := b.cut.After(key, size)
	if before {
		if err := b.emit(ctx, b.Buf[:b.from], b.rows); err != nil {
			return err
		}
		b.Buf = append(b.Buf[:0], b.Buf[b.from:]...)
		b.rows = 0
	}
	b.rows++
	b.from = len(b.Buf)
	if after {
		return b.Flush(ctx)
	}
	return nil
}

// Flush hands on the rows that are left; call it after the last End. A buffer
// that one large row has grown is given back.
func (b *Builder) Flush(ctx context.Context) error {
	if b.rows == 0 {
		return nil
	}
	err := b.emit(ctx, b.Buf[:b.from], b.rows)
	if b.rows, b.from = 0, 0; cap(b.Buf) > 2*MaxChunk {
		b.Buf = nil
	}
	b.Buf = b.Buf[:0]
	return err
}

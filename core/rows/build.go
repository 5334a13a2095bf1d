package rows

import "context"

// Builder collects rows into chunks and passes each chunk to a function. Append the
// cells of a row, separated by tabs, to Buf, then call End. The buffer is reused: a
// chunk belongs to the Builder again once emit has returned. It is not safe for
// concurrent use.
type Builder struct {
	Buf  []byte
	emit func(ctx context.Context, data []byte, rows int) error
	cut  Cutter
	rows int
	from int // start of the current row in Buf
}

// NewBuilder returns a Builder that passes chunks to emit.
func NewBuilder(emit func(ctx context.Context, data []byte, rows int) error) *Builder {
	return &Builder{emit: emit}
}

// Row returns the cells appended since the last End.
func (b *Builder) Row() []byte { return b.Buf[b.from:] }

// End finishes a row. key identifies the row: its key cells as encoded in the row,
// joined by tabs; empty means the whole row. key may alias Buf.
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

// Flush emits the remaining rows; call it after the last End. It releases a buffer
// that one large row has grown.
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

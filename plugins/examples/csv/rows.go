package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// read writes the rows of a file. A row with a field that its column can't hold is a loss;
// a file that is not CSV is an error.
func (f *file) read(ctx context.Context, r *csv.Reader, w stage.RowWriter) error {
	b := rows.NewBuilder(func(ctx context.Context, data []byte, rows int) error {
		return w.Write(ctx, stage.Chunk{Data: data, Rows: rows})
	})
	for header := true; ; header = false {
		record, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return b.Flush(ctx)
		case err != nil:
			return fmt.Errorf("%s: %w", f.path, err) // includes the line number
		case ctx.Err() != nil:
			return ctx.Err()
		case header:
			continue
		}
		start := len(b.Buf)
		key, bad, err := f.table.row(b, record)
		if err == nil {
			if err := b.End(ctx, key); err != nil {
				return err
			}
			continue
		}
		b.Buf = b.Buf[:start]
		line, _ := r.FieldPos(bad)
		if err := w.Loss(ctx, stage.Loss{Kind: stage.LossRow, Path: stage.DB + "/" + f.table.Name, Count: 1,
			Where: fmt.Sprintf("line %d of %s, column %s", line, f.path, f.table.Columns[bad].Name), Reason: err.Error()}); err != nil {
			return err
		}
	}
}

var (
	errNull = errors.New("a row's id can't be NULL")
	errUTF8 = errors.New("the text is not UTF-8; convert the file, for example with iconv")
)

// row appends the cells of a record and returns the key; bad is the position of the field
// that an error concerns.
func (t *table) row(b *rows.Builder, record []string) (key []byte, bad int, err error) {
	for i, field := range record {
		if i > 0 {
			b.Buf = append(b.Buf, '\t')
		}
		start := len(b.Buf)
		switch c := &t.Columns[i]; {
		case field == t.null && !c.Nullable:
			return nil, i, errNull
		case field == t.null:
			b.Buf = append(b.Buf, rows.Null...)
		case c.Type.Kind == schema.Int:
			n, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				return nil, i, fmt.Errorf("%.40q is not a 64-bit integer", field)
			}
			b.Buf = strconv.AppendInt(b.Buf, n, 10)
		case !utf8.ValidString(field):
			return nil, i, errUTF8
		default:
			b.Buf = rows.AppendText(b.Buf, field)
		}
		if i == t.key {
			key = b.Buf[start:]
		}
	}
	return key, 0, nil
}

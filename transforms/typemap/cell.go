package typemap

import (
	"bytes"
	"context"
	"fmt"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// Cell is the conversion of a value whose canonical text differs in the target.
type Cell uint8

// Conversions. NULL stays NULL.
const (
	Same           Cell = iota
	BoolToInt           // t and f become 1 and 0
	YearToInt           // 0000 becomes 0
	GeometryToText      // MySQL's bytes become well-known text: POINT(1 2)
)

// String describes the conversion, "" for Same.
func (c Cell) String() string {
	switch c {
	case BoolToInt:
		return "t and f become 1 and 0"
	case YearToInt:
		return "0000 becomes 0"
	case GeometryToText:
		return "bytes become well-known text, POINT(1 2)"
	}
	return ""
}

// append appends the converted value; ok is false if it is not a value of its type.
func (c Cell) append(dst, value []byte) (_ []byte, ok bool) {
	switch c {
	case BoolToInt:
		if len(value) != 1 || value[0] != 't' && value[0] != 'f' {
			return dst, false
		}
		if value[0] == 't' {
			return append(dst, '1'), true
		}
		return append(dst, '0'), true
	case YearToInt:
		if len(value) != 4 {
			return dst, false
		}
		digits := bytes.TrimLeft(value, "0")
		for _, d := range digits {
			if d < '0' || d > '9' {
				return dst, false
			}
		}
		if len(digits) == 0 {
			digits = value[:1]
		}
		return append(dst, digits...), true
	case GeometryToText:
		return appendGeometry(dst, value)
	}
	return append(dst, value...), true
}

// cell returns the conversion of a column's values.
func (x *transform) cell(t schema.Table, c schema.Column, target string) (Cell, error) {
	if isGeometry(t.Dialect, c) {
		return GeometryToText, nil
	}
	r, err := x.rule(c.Type, target)
	if err != nil {
		return Same, err
	}
	return r.Cell, nil
}

// Rows converts the cells of the mapping; it does not allocate per row.
func (x *transform) Rows(ctx context.Context, m stage.Mapped, dst []byte, c stage.Chunk) ([]byte, int, error) {
	data := c.Data
	if !m.Rewrite {
		return append(dst, data...), c.Rows, nil
	}
	var few [64]Cell // saves an allocation per chunk for all but the widest tables
	cells := few[:0]
	for i := range m.From.Columns {
		c, err := x.cell(m.From, m.From.Columns[i], m.Schema.Dialect)
		if err != nil {
			return dst, 0, inColumn(err, m.From, i)
		}
		cells = append(cells, c)
	}
	for n := 1; ; n++ {
		row, rest, ok, err := rows.Next(data)
		if err != nil {
			return dst, 0, fmt.Errorf("table %s: %w", m.From.Name, err)
		}
		if !ok {
			return dst, n - 1, ctx.Err()
		}
		for i, c := range cells {
			end := bytes.IndexByte(row, '\t')
			if (end < 0) != (i == len(cells)-1) {
				return dst, 0, fmt.Errorf("table %s: row %d of a chunk does not have %d cells", m.From.Name, n, len(cells))
			}
			cell := row
			if end >= 0 {
				cell, row = row[:end], row[end+1:]
			}
			if i > 0 {
				dst = append(dst, '\t')
			}
			if rows.IsNull(cell) {
				dst = append(dst, cell...)
			} else if dst, ok = c.append(dst, cell); !ok {
				return dst, 0, fmt.Errorf("table %s column %s: %q in row %d of a chunk is not a %s", m.From.Name, m.From.Columns[i].Name, cell, n, m.From.Columns[i].Type.Kind)
			}
		}
		dst = append(dst, '\n')
		data = rest
	}
}

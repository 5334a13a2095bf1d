package postgres

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

// converter appends the canonical form of a cell that COPY TO wrote and that is not
// NULL.
type converter func(dst, cell []byte) ([]byte, error)

// decoder converts rows written by COPY TO into rows of package rows. The
// differences: COPY has escapes for \b \f \v, adds a zone to timestamptz, pads
// char(n), and spells floats differently.
type decoder struct {
	convert []converter // up to the last column that needs one; nil: text is unchanged
	key     []int       // positions of the key columns; none: the whole row
	first   int         // the key is the columns from first to last, if inOrder
	last    int
	inOrder bool
	cells   [][]byte
	scratch []byte
}

func newDecoder(t *schema.Table) *decoder {
	d := &decoder{key: t.Key(), inOrder: true}
	for i, c := range t.Columns {
		if f := converterOf(c.Type); f != nil {
			d.convert = append(d.convert, make([]converter, i-len(d.convert))...)
			d.convert = append(d.convert, f)
		}
	}
	if len(d.key) > 0 {
		d.first, d.last = d.key[0], d.key[len(d.key)-1]
		for i, at := range d.key {
			d.inOrder = d.inOrder && at == d.first+i
		}
	}
	return d
}

func converterOf(t schema.Type) converter {
	switch {
	case t.Kind == schema.Float:
		bits := t.Size * 8
		return func(dst, cell []byte) ([]byte, error) {
			f, err := strconv.ParseFloat(string(cell), bits)
			if err != nil {
				return dst, fmt.Errorf("number %q from the server: %w", cell, err)
			}
			return rows.AppendFloat(dst, f, bits), nil
		}
	case t.Kind == schema.Timestamp:
		return func(dst, cell []byte) ([]byte, error) {
			// 2024-01-01 00:00:00+00, 0044-03-15 00:00:00+00 BC, infinity
			before, after, _ := bytes.Cut(cell, []byte("+00"))
			return append(append(dst, before...), after...), nil
		}
	case t.Kind == schema.Char && t.Fixed:
		return func(dst, cell []byte) ([]byte, error) {
			return appendEscaped(dst, bytes.TrimRight(cell, " ")), nil
		}
	}
	return nil
}

// row appends a row, given without its newline.
func (d *decoder) row(dst, row []byte) ([]byte, error) {
	for i, convert := range d.convert {
		cell, rest, more := bytes.Cut(row, []byte{'\t'})
		var err error
		if convert == nil || rows.IsNull(cell) {
			dst = appendEscaped(dst, cell)
		} else if dst, err = convert(dst, cell); err != nil {
			return dst, fmt.Errorf("column %d: %w", i+1, err)
		}
		if !more {
			return dst, nil
		}
		dst = append(dst, '\t')
		row = rest
	}
	return appendEscaped(dst, row), nil
}

// appendEscaped appends cells, including tabs, with the escapes of package rows.
func appendEscaped(dst, cells []byte) []byte {
	for {
		i := bytes.IndexByte(cells, '\\')
		if i < 0 || i+1 == len(cells) {
			return append(dst, cells...)
		}
		switch cells[i+1] {
		case 'b':
			dst = append(append(dst, cells[:i]...), '\b')
		case 'f':
			dst = append(append(dst, cells[:i]...), '\f')
		case 'v':
			dst = append(append(dst, cells[:i]...), '\v')
		default:
			dst = append(dst, cells[:i+2]...)
		}
		cells = cells[i+2:]
	}
}

// keyOf returns the key cells of a finished row for rows.Builder.
func (d *decoder) keyOf(row []byte) []byte {
	switch {
	case len(d.key) == 0:
		return nil
	case !d.inOrder:
		d.cells = rows.Split(d.cells, row)
		d.scratch = d.scratch[:0]
		for i, at := range d.key {
			if i > 0 {
				d.scratch = append(d.scratch, '\t')
			}
			d.scratch = append(d.scratch, d.cells[at]...)
		}
		return d.scratch
	}
	for range d.first {
		row = row[bytes.IndexByte(row, '\t')+1:]
	}
	end := 0
	for range d.last - d.first + 1 {
		i := bytes.IndexByte(row[end:], '\t')
		if i < 0 {
			return row
		}
		end += i + 1
	}
	return row[:end-1]
}

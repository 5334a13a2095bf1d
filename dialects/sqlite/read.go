package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lmsvault/vault/core/keyrange"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// Receiver receives what Read finds.
type Receiver struct {
	Chunk func(ctx context.Context, data []byte, rows int) error // as from rows.Builder
	Loss  func(ctx context.Context, l stage.Loss) error          // a row with a value that does not fit its column
}

// Read reads the rows of a table that meet an SQL condition ("" for all) and, if the
// key is the rowid, are in a range, in the table's own order. Others can use the
// connection while the receiver works.
func (c *Conn) Read(ctx context.Context, t *Table, r keyrange.Range, condition string, to Receiver) (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, err := c.rows(context.WithoutCancel(ctx), selectRows(t, r, condition)) // the driver is slow with cancellable contexts
	if err != nil {
		return fmt.Errorf("reading %s: %w", t.FullName, err)
	}
	defer found.end(&err)
	aside := func(work func() error) error {
		c.mu.Unlock()
		defer c.mu.Lock()
		return work()
	}
	out := rows.NewBuilder(func(ctx context.Context, data []byte, n int) error {
		return aside(func() error { return to.Chunk(ctx, data, n) })
	})
	cells := &rowCells{table: t, key: t.Key(), at: make([]int, len(t.Columns)+1)}
	values := make([]driver.Value, len(t.Columns))
	for n := 0; ; n++ {
		if n%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		switch err := found.Next(values); {
		case errors.Is(err, io.EOF):
			return out.Flush(ctx)
		case err != nil:
			return fmt.Errorf("reading %s: %w", t.FullName, err)
		}
		start := len(out.Buf)
		var misfit int
		if out.Buf, misfit = cells.append(out.Buf, values); misfit >= 0 {
			out.Buf = out.Buf[:start]
			loss := cells.loss(values, misfit)
			if err := aside(func() error { return to.Loss(ctx, loss) }); err != nil {
				return err
			}
			continue
		}
		if err := out.End(ctx, cells.keyOf(out.Row())); err != nil {
			return err
		}
	}
}

func selectRows(t *Table, r keyrange.Range, condition string) string {
	var list []string
	for i := range t.Columns {
		column := Quote(t.Columns[i].Name)
		switch strings.ToUpper(t.Columns[i].Native) {
		case "DATE", "DATETIME", "TIMESTAMP":
			column = "+" + column // the driver converts bare columns of these types to times
		}
		list = append(list, column)
	}
	sql := "SELECT " + strings.Join(list, ", ") + " FROM " + Quote(t.FullName)
	if !t.WithoutRowid {
		sql += " NOT INDEXED" // in row order, not that of a covering index
	}
	var where []string
	if condition != "" {
		where = append(where, "("+condition+")")
	}
	if t.RowidKey {
		key := Quote(t.PrimaryKey[0])
		if r.From != "" {
			where = append(where, key+" >= "+r.From)
		}
		if r.To != "" {
			where = append(where, key+" < "+r.To)
		}
	}
	if len(where) > 0 {
		sql += " WHERE " + strings.Join(where, " AND ")
	}
	return sql
}

// rowCells converts a table's values to rows. It is not safe for concurrent use.
type rowCells struct {
	table *Table
	key   []int
	at    []int // offset of each cell in the row, and of the end
	text  []byte
}

// append appends the cells of a row. misfit is the first column whose value does not
// fit its type, or -1.
func (r *rowCells) append(dst []byte, values []driver.Value) (_ []byte, misfit int) {
	start := len(dst)
	for i, v := range values {
		if i > 0 {
			dst = append(dst, '\t')
		}
		r.at[i] = len(dst) - start
		var ok bool
		if dst, ok = AppendCell(dst, &r.table.Columns[i].Type, v); !ok {
			return dst, i
		}
	}
	r.at[len(values)] = len(dst) - start + 1
	return dst, -1
}

// keyOf returns the key's cells joined by tabs, or nil without a key.
func (r *rowCells) keyOf(row []byte) []byte {
	if len(r.key) == 1 {
		return row[r.at[r.key[0]] : r.at[r.key[0]+1]-1]
	}
	r.text = r.text[:0]
	for i, k := range r.key {
		if i > 0 {
			r.text = append(r.text, '\t')
		}
		r.text = append(r.text, row[r.at[k]:r.at[k+1]-1]...)
	}
	return r.text
}

func (r *rowCells) loss(values []driver.Value, misfit int) stage.Loss {
	column := &r.table.Columns[misfit]
	var where []string
	for _, k := range r.key {
		where = append(where, r.table.Columns[k].Name+"="+show(values[k]))
	}
	return stage.Loss{
		Kind: stage.LossRow, Path: stage.DB + "/" + r.table.Name, Where: strings.TrimSpace(strings.Join(where, " ") + " column " + column.Name),
		Reason: fmt.Sprintf("%s %s does not fit the column's type %s", class(values[misfit]), show(values[misfit]), DeclaredType(column.Type)), Count: 1,
	}
}

func class(v driver.Value) string {
	switch v.(type) {
	case int64:
		return "the integer"
	case float64:
		return "the real"
	case string:
		return "the text"
	}
	return "the blob"
}

// show formats a value, abbreviated.
func show(v driver.Value) string {
	var cell []byte
	switch v := v.(type) {
	case string:
		cell = rows.AppendText(cell, v[:min(len(v), 60)])
	case []byte:
		cell = rows.AppendBinary(cell, v[:min(len(v), 30)])
	default:
		cell, _ = AppendCell(nil, &schema.Type{Kind: schema.Text}, v)
	}
	return string(cell)
}

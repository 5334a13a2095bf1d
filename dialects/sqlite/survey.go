package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/lmsvault/vault/core/keyrange"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

// Survey reads a whole table and widens the types of columns with values that do not
// fit the declared type, which SQLite allows. It returns the columns that changed or
// whose values lose their storage class (1 and '1' are the same text), and counts
// rows and bytes. With a limit it reads at most that many rows and widens nothing;
// that is for tables written by Vault.
func (c *Conn) Survey(ctx context.Context, t *Table, limit int64) (changed []string, count, bytes int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sql := selectRows(t, keyrange.Range{}, "")
	if limit > 0 {
		sql += " LIMIT " + strconv.FormatInt(limit, 10)
	}
	found, err := c.rows(context.WithoutCancel(ctx), sql)
	if err != nil {
		return nil, 0, 0, fmt.Errorf("reading %s: %w", t.FullName, err)
	}
	defer found.end(&err)
	values := make([]driver.Value, len(t.Columns))
	wider := make([]bool, len(t.Columns))
	var cell []byte
	for {
		switch err := found.Next(values); {
		case errors.Is(err, io.EOF):
			for i, w := range wider {
				if w {
					changed = append(changed, t.Columns[i].Name)
				}
			}
			return changed, count, bytes, nil
		case err != nil:
			return nil, 0, 0, fmt.Errorf("reading %s: %w", t.FullName, err)
		}
		if count++; count%256 == 0 && ctx.Err() != nil {
			return nil, 0, 0, ctx.Err()
		}
		for i, v := range values {
			column := &t.Columns[i]
			var ok bool
			if cell, ok = AppendCell(cell[:0], &column.Type, v); !ok && limit == 0 {
				was := column.Type
				column.Type, column.Native, wider[i] = widen(was, v), "", true
				column.Default = retype(column.Default, &was, &column.Type)
				if cell, ok = AppendCell(cell[:0], &column.Type, v); !ok {
					return nil, 0, 0, fmt.Errorf("reading %s: no type can hold %s in column %s", t.FullName, show(v), column.Name)
				}
			}
			wider[i] = wider[i] || limit == 0 && reclassed(column.Type.Kind, v)
			bytes += int64(len(cell)) + 1
		}
	}
}

// reclassed reports whether a value changes its storage class in a column of a kind.
func reclassed(k schema.Kind, v driver.Value) bool {
	number := k == schema.Int || k == schema.Decimal || k == schema.Float || k == schema.Bool
	switch v.(type) {
	case int64, float64:
		return !number
	case string:
		return k == schema.Binary // in a numeric column it is a decimal of many digits
	case []byte:
		return k != schema.Binary
	}
	return false
}

// widen returns a type that holds v and everything that fits t.
func widen(t schema.Type, v driver.Value) schema.Type {
	switch v := v.(type) {
	case []byte:
		return schema.Type{Kind: schema.Binary}
	case int64:
		if t.Kind == schema.Int && (!t.Unsigned || v >= 0) {
			return schema.Type{Kind: schema.Int, Size: 8}
		}
	case float64:
		if t.Kind == schema.Float && !math.IsNaN(v) {
			return schema.Type{Kind: schema.Float, Size: 8}
		}
	}
	if t.Kind == schema.Binary {
		return schema.Type{Kind: schema.Binary}
	}
	return schema.Type{Kind: schema.Text}
}

// retype returns the default of a column whose type was widened.
func retype(d *schema.Default, was, is *schema.Type) *schema.Default {
	if d == nil || d.Expr {
		return d
	}
	var e Encoder
	value, err := e.Value(rows.AppendText(nil, d.Value), was)
	if err != nil {
		return nil
	}
	cell, _ := AppendCell(nil, is, value)
	plain, err := rows.Unescape(nil, cell)
	if err != nil {
		return nil
	}
	return &schema.Default{Value: string(plain)}
}

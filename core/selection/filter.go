package selection

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

// Filter decides which rows of one table are read. A nil Filter keeps all of them. It
// is safe for concurrent use.
type Filter struct {
	table   schema.Table
	none    bool
	clauses []clause
}

type clause struct {
	except bool
	expr   *expr
}

// expr is a condition with its columns resolved.
type expr struct {
	column int
	in     []value
	prefix *value
	null   bool
	all    bool // all of inner, else any
	inner  []*expr
}

// value is a value in the encodings of the column.
type value struct {
	text string // canonical
	cell []byte // as in a row
}

// Filter binds a selection to a table. Conditions on columns that the table does not
// have, or that cannot be compared, are errors of class failure.Refused.
func (s *Selection) Filter(t schema.Table) (*Filter, error) {
	f := &Filter{table: t}
	for _, pattern := range s.StructureOnly {
		f.none = f.none || Matches(pattern, t.Name)
	}
	for i := range s.Rows {
		r := &s.Rows[i]
		if !Matches(r.Table, t.Name) {
			continue
		}
		c, except := r.Only, false
		if r.Except != nil {
			c, except = r.Except, true
		}
		e, err := bind(&t, c)
		if err != nil {
			return nil, failure.New(failure.Refused, "select: rows of %q: table %s: %w", r.Table, t.Name, err)
		}
		f.clauses = append(f.clauses, clause{except, e})
	}
	if !f.none && f.clauses == nil {
		return nil, nil
	}
	return f, nil
}

func bind(t *schema.Table, c *Condition) (*expr, error) {
	e := &expr{all: len(c.All) > 0, null: c.Null, column: -1}
	for _, list := range [][]Condition{c.All, c.Any} {
		for i := range list {
			inner, err := bind(t, &list[i])
			if err != nil {
				return nil, err
			}
			e.inner = append(e.inner, inner)
		}
	}
	if e.inner != nil {
		return e, nil
	}
	for i := range t.Columns {
		if t.Columns[i].Name == c.Column {
			e.column = i
		}
	}
	if e.column < 0 {
		return nil, fmt.Errorf("no column %q", c.Column)
	}
	column := &t.Columns[e.column]
	for _, text := range c.In {
		v, err := valueOf(column, text)
		if err != nil {
			return nil, err
		}
		e.in = append(e.in, v)
	}
	if c.Prefix != "" {
		if !isText(column) {
			return nil, fmt.Errorf("column %s is of type %s; prefix needs a text column", column.Name, column.Type.Kind)
		}
		e.prefix = &value{c.Prefix, rows.AppendText(nil, c.Prefix)}
	}
	return e, nil
}

func isText(c *schema.Column) bool {
	return c.Type.Kind == schema.Char || c.Type.Kind == schema.Text || c.Type.Kind == schema.Enum
}

func valueOf(c *schema.Column, text string) (value, error) {
	switch {
	case isText(c):
		return value{text, rows.AppendText(nil, text)}, nil
	case c.Type.Kind == schema.Int:
		digits := strings.TrimPrefix(text, "-")
		if n, err := strconv.ParseUint(digits, 10, 64); err != nil || strconv.FormatUint(n, 10) != digits || text == "-0" {
			return value{}, fmt.Errorf("column %s is an integer, but the value of its condition is not", c.Name)
		}
		return value{text, []byte(text)}, nil
	case c.Type.Kind == schema.Bool:
		switch text {
		case "true", "t":
			return value{"true", []byte("t")}, nil
		case "false", "f":
			return value{"false", []byte("f")}, nil
		}
		return value{}, fmt.Errorf("column %s is boolean, but the value of its condition is neither true nor false", c.Name)
	}
	return value{}, fmt.Errorf("column %s is of type %s; conditions compare integers, booleans and texts, other types only with null", c.Name, c.Type.Kind)
}

// None reports whether no row is read.
func (f *Filter) None() bool { return f != nil && f.none }

// Keep reports whether a row is read. The row is encoded as in package rows, without
// its newline.
func (f *Filter) Keep(row []byte) (bool, error) {
	if f == nil {
		return true, nil
	}
	if f.none {
		return false, nil
	}
	for _, c := range f.clauses {
		holds, err := c.expr.holds(row)
		if err != nil {
			return false, fmt.Errorf("table %s: %w", f.table.Name, err)
		}
		if holds == c.except {
			return false, nil
		}
	}
	return true, nil
}

func (e *expr) holds(row []byte) (bool, error) {
	for _, inner := range e.inner {
		if holds, err := inner.holds(row); err != nil || holds != e.all {
			return holds, err
		}
	}
	if e.inner != nil {
		return e.all, nil
	}
	cell, ok := nth(row, e.column)
	if !ok {
		return false, fmt.Errorf("a row has fewer than %d columns", e.column+1)
	}
	switch null := rows.IsNull(cell); {
	case null || e.null:
		return null && e.null, nil
	case e.prefix != nil:
		return bytes.HasPrefix(cell, e.prefix.cell), nil
	}
	for _, v := range e.in {
		if bytes.Equal(cell, v.cell) {
			return true, nil
		}
	}
	return false, nil
}

// nth returns the n-th cell of a row.
func nth(row []byte, n int) ([]byte, bool) {
	for ; n > 0; n-- {
		i := bytes.IndexByte(row, '\t')
		if i < 0 {
			return nil, false
		}
		row = row[i+1:]
	}
	if i := bytes.IndexByte(row, '\t'); i >= 0 {
		row = row[:i]
	}
	return row, true
}

package selection

import (
	"strings"

	"github.com/lmsvault/vault/core/schema"
)

// Dialect writes comparisons for one engine. Implementations must quote values, which
// are untrusted, and compare texts byte by byte, without collation. A comparison with
// NULL may yield NULL.
type Dialect interface {
	// In compares a column of kind Int, Bool, Char, Text or Enum with canonical values.
	In(c *schema.Column, values []string) string
	// Prefix compares the beginning of a column of kind Char, Text or Enum.
	Prefix(c *schema.Column, prefix string) string
	// Null tests whether a column is NULL.
	Null(c *schema.Column) string
}

// SQL returns the condition for a WHERE clause under which a row is read, or "" for
// all rows.
func (f *Filter) SQL(d Dialect) string {
	switch {
	case f == nil:
		return ""
	case f.none:
		return "1 = 0"
	}
	parts := make([]string, len(f.clauses))
	for i, c := range f.clauses {
		is := " IS TRUE"
		if c.except {
			is = " IS NOT TRUE" // also true if a comparison with NULL is NULL
		}
		parts[i] = "(" + c.expr.sql(f.table.Columns, d) + ")" + is
	}
	return strings.Join(parts, " AND ")
}

func (e *expr) sql(columns []schema.Column, d Dialect) string {
	if e.inner != nil {
		parts := make([]string, len(e.inner))
		for i, inner := range e.inner {
			parts[i] = "(" + inner.sql(columns, d) + ")"
		}
		if e.all {
			return strings.Join(parts, " AND ")
		}
		return strings.Join(parts, " OR ")
	}
	c := &columns[e.column]
	switch {
	case e.null:
		return d.Null(c)
	case e.prefix != nil:
		return d.Prefix(c, e.prefix.text)
	}
	values := make([]string, len(e.in))
	for i, v := range e.in {
		values[i] = v.text
	}
	return d.In(c, values)
}

package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/lmsvault/vault/core/schema"
)

// exactDefaults re-reads literal defaults that the catalog and SHOW CREATE TABLE
// round or garble. The function DEFAULT returns the exact value.
func (i *inspection) exactDefaults(ctx context.Context) error {
	for k := range i.st.Tables {
		t := &i.st.Tables[k]
		var columns []*schema.Column
		var exprs []string
		for n := range t.Columns {
			c := &t.Columns[n]
			if expr := i.exactDefault(c); expr != "" {
				columns = append(columns, c)
				exprs = append(exprs, expr)
			}
		}
		if columns == nil {
			continue
		}
		if err := i.evaluateDefaults(ctx, t, columns, exprs); err != nil {
			return fmt.Errorf("table %s: %w", t.FullName, err)
		}
	}
	return nil
}

// exactDefault returns an expression for the exact default of a column, or "" if the
// catalog is exact. In text, the catalog has a question mark for each character
// outside the basic plane, such as an emoji. For a 4-byte float it has six digits;
// converted to a double the value has all of them.
func (s *Server) exactDefault(c *schema.Column) string {
	d := c.Default
	switch {
	case d == nil || d.Expr || s.expressionOnly(c):
		return ""
	case hasCharset(c.Native) && strings.Contains(d.Value, "?"):
		return "CONVERT(DEFAULT(" + Ident(c.Name) + ") USING utf8mb4)"
	case isFloat4(c):
		return "DEFAULT(" + Ident(c.Name) + ") * 1e0"
	}
	return ""
}

// evaluateDefaults replaces the defaults of columns with the values of expressions. A
// default that the server cannot evaluate stays as in the catalog, with a note.
func (i *inspection) evaluateDefaults(ctx context.Context, t *Table, columns []*schema.Column, exprs []string) error {
	list := strings.Join(exprs, ", ")
	values, err := i.evaluate(ctx, len(exprs), "SELECT "+list+" FROM "+Ident(t.FullName)+" LIMIT 1")
	if err == nil && values == nil {
		values, err = i.evaluate(ctx, len(exprs), i.withoutRows(t.FullName, list))
	}
	if err != nil {
		return err
	}
	for n, c := range columns {
		if n < len(values) && values[n].Valid {
			c.Default.Value = canonical(c, values[n].String)
			continue
		}
		i.note(t.Name, fmt.Sprintf("column %s: its default may be inexact; the server shows %.100q", c.Name, c.Default.Value))
	}
	return nil
}

// withoutRows returns a query that evaluates the defaults of an empty table. In a row
// that an outer join fills with NULL, both products return NULL for the default of a
// NOT NULL column. MySQL returns the value beside the count of an empty table,
// MariaDB only if it stores the rows in a temporary table, as for DISTINCT.
func (s *Server) withoutRows(fullName, exprs string) string {
	if s.MariaDB {
		return "SELECT DISTINCT " + exprs + " FROM (SELECT 1 AS one UNION ALL SELECT 2) o LEFT JOIN " + Ident(fullName) + " ON TRUE"
	}
	return "SELECT " + exprs + ", COUNT(*) FROM " + Ident(fullName)
}

// evaluate returns the first n values of the first row of a query, or nil if it has
// no rows.
func (i *inspection) evaluate(ctx context.Context, n int, query string) (values []sql.NullString, err error) {
	rows, err := i.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	names, err := rows.Columns()
	if err != nil || !rows.Next() {
		return nil, errors.Join(err, rows.Err())
	}
	values = make([]sql.NullString, len(names))
	into := make([]any, len(names))
	for k := range values {
		into[k] = &values[k]
	}
	return values[:n], rows.Scan(into...)
}

package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/lmsvault/vault/core/schema"
)

// textDefaults reads defaults of text again in which the catalog has a question
// mark: it has that for each character outside the basic plane, such as an emoji,
// and MariaDB's SHOW CREATE TABLE too. The function DEFAULT has the value itself.
func (i *inspection) textDefaults(ctx context.Context) error {
	for k := range i.st.Tables {
		t := &i.st.Tables[k]
		var columns []*schema.Column
		var exprs []string
		for n := range t.Columns {
			c := &t.Columns[n]
			if c.Default != nil && !c.Default.Expr && hasCharset(c.Native) && !i.expressionOnly(c) && strings.Contains(c.Default.Value, "?") {
				columns = append(columns, c)
				exprs = append(exprs, "CONVERT(DEFAULT("+Ident(c.Name)+") USING utf8mb4)")
			}
		}
		if columns == nil {
			continue
		}
		if err := i.exactDefaults(ctx, t.FullName, columns, exprs); err != nil {
			return fmt.Errorf("table %s: %w", t.FullName, err)
		}
	}
	return nil
}

// exactDefaults asks for defaults in a row that is there also if the table is empty.
func (i *inspection) exactDefaults(ctx context.Context, fullName string, columns []*schema.Column, exprs []string) (err error) {
	rows, err := i.QueryContext(ctx, "SELECT "+strings.Join(exprs, ", ")+" FROM (SELECT 1 AS one) o LEFT JOIN "+Ident(fullName)+" ON FALSE")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	values := make([]sql.NullString, len(columns))
	into := make([]any, len(columns))
	for n := range values {
		into[n] = &values[n]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for n, c := range columns {
			if values[n].Valid {
				c.Default.Value = canonical(c, values[n].String)
			}
		}
	}
	return rows.Err()
}

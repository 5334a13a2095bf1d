package mysql

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/lmsvault/vault/core/schema"
)

// binaryDefaults reads the defaults of binary columns. The catalog has them as
// text, in which MariaDB replaces what is no UTF-8 and MySQL ends at the first
// NUL; SHOW CREATE TABLE has every byte for a session that wants no character set.
func (i *inspection) binaryDefaults(ctx context.Context) (err error) {
	var conn *sql.Conn
	defer func() {
		if conn != nil {
			_, reset := conn.ExecContext(context.WithoutCancel(ctx), "SET SESSION character_set_results = utf8mb4")
			err = errors.Join(err, reset, conn.Close())
		}
	}()
	for k := range i.st.Tables {
		t := &i.st.Tables[k]
		columns := binaryWithDefault(t)
		if len(columns) == 0 {
			continue
		}
		if conn == nil {
			if conn, err = i.Conn(ctx); err != nil {
				return err
			}
			if _, err := conn.ExecContext(ctx, "SET SESSION character_set_results = NULL"); err != nil {
				return err
			}
		}
		var name, create string
		if err := conn.QueryRowContext(ctx, "SHOW CREATE TABLE "+Ident(t.FullName)).Scan(&name, &create); err != nil {
			return fmt.Errorf("table %s: %w", t.FullName, err)
		}
		for _, c := range columns {
			raw, ok := declaredDefault(create, c.Name)
			if !ok {
				return fmt.Errorf("table %s: the default of column %s can't be found in %q", t.FullName, c.Name, create)
			}
			c.Default.Value = canonical(c, raw)
		}
	}
	return nil
}

func binaryWithDefault(t *Table) []*schema.Column {
	var columns []*schema.Column
	for k := range t.Columns {
		if c := &t.Columns[k]; c.Type.Kind == schema.Binary && c.Default != nil && !c.Default.Expr {
			columns = append(columns, c)
		}
	}
	return columns
}

// declaredDefault finds the default of a column, which has no other quoted words
// before it, in the words of SHOW CREATE TABLE: '\0a' or 0x0061.
func declaredDefault(create, column string) (string, bool) {
	_, rest, _ := strings.Cut(create, "\n  "+Ident(column)+" ")
	_, literal, ok := strings.Cut(rest, " DEFAULT ")
	if !ok {
		return "", false
	}
	if digits, ok := strings.CutPrefix(literal, "0x"); ok {
		digits = digits[:len(digits)-len(strings.TrimLeft(digits, "0123456789abcdefABCDEF"))]
		raw, err := hex.DecodeString(digits)
		return string(raw), err == nil
	}
	value, _, ok := unquote(literal)
	return value, ok
}

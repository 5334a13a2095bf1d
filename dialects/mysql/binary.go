package mysql

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/dialects/sqltext"
)

// binaryDefaults reads the defaults of binary columns. In the catalog they are text,
// in which MariaDB replaces invalid UTF-8 and MySQL stops at the first NUL. SHOW
// CREATE TABLE returns every byte to a session without a result character set.
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
			if c.Default.Expr {
				if raw, ok := latin1(c.Default.Value); ok && declares(create, c.Name, raw) {
					c.Default.Value = raw // finish reports it as lost
				}
				continue
			}
			raw, ok := declaredDefault(create, c.Name)
			if !ok {
				return fmt.Errorf("table %s: the default of column %s was not found in %q", t.FullName, c.Name, create)
			}
			c.Default.Value = canonical(c, raw)
			if i.spelling(c) == "" {
				c.Default.Native = ""
			}
		}
	}
	return nil
}

// binaryWithDefault lists the columns whose defaults must be read from SHOW CREATE
// TABLE: binary columns, and expressions in which MySQL's catalog may have decoded
// bytes as characters.
func binaryWithDefault(t *Table) []*schema.Column {
	var columns []*schema.Column
	for k := range t.Columns {
		c := &t.Columns[k]
		switch {
		case c.Default == nil:
		case !c.Default.Expr && c.Type.Kind == schema.Binary:
			columns = append(columns, c)
		case c.Default.Expr:
			if raw, ok := latin1(c.Default.Value); ok && !utf8.ValidString(raw) {
				columns = append(columns, c)
			}
		}
	}
	return columns
}

// declaredDefault finds the default of a column in the output of SHOW CREATE TABLE:
// '\0a', or an expression in parentheses. No other quoted text may precede it in the
// column's declaration.
func declaredDefault(create, column string) (string, bool) {
	_, rest, _ := strings.Cut(create, "\n  "+Ident(column)+" ")
	_, literal, ok := strings.Cut(rest, " DEFAULT ")
	if !ok {
		return "", false
	}
	value, _, ok := binaryLiteral(strings.TrimPrefix(literal, "("))
	return value, ok
}

// declares reports whether the declaration of a column contains the non-ASCII bytes
// of an expression. The rest may be spelled differently there.
func declares(create, column, expression string) bool {
	_, rest, _ := strings.Cut(create, "\n  "+Ident(column)+" ")
	line, _, _ := strings.Cut(rest, "\n")
	for run := range strings.FieldsFuncSeq(expression, func(r rune) bool { return r < utf8.RuneSelf }) {
		if !strings.Contains(line, run) {
			return false
		}
	}
	return true
}

// introducer matches a character set before a literal: _utf8mb4'a'.
var introducer = regexp.MustCompile(`^_[a-z0-9]+'`)

// binaryLiteral parses the literal at the beginning of text into the bytes that a
// binary column holds: 'a', _utf8mb4'a', 0x61 or X'61'.
func binaryLiteral(text string) (value, rest string, ok bool) {
	if digits, ok := strings.CutPrefix(text, "0x"); ok {
		rest = strings.TrimLeft(digits, "0123456789abcdefABCDEF")
		raw, err := hex.DecodeString(digits[:len(digits)-len(rest)])
		return string(raw), rest, err == nil
	}
	if quoted, ok := strings.CutPrefix(text, "X'"); ok {
		digits, rest, ok := strings.Cut(quoted, "'")
		raw, err := hex.DecodeString(digits)
		return string(raw), rest, ok && err == nil
	}
	return unquote(text[max(len(introducer.FindString(text))-1, 0):])
}

// literalOf parses an expression that is a literal; it returns nil for any other. A
// binary column's default keeps its spelling, which the server repeats.
func literalOf(c *schema.Column, text string) *schema.Default {
	if c.Type.Kind != schema.Binary {
		if value, ok := textLiteral(text); ok {
			return &schema.Default{Value: canonical(c, value)}
		}
		return nil
	}
	value, rest, ok := binaryLiteral(text)
	if !ok || rest != "" {
		return nil
	}
	d := &schema.Default{Value: canonical(c, value)}
	if strings.HasSuffix(text, "'") && !strings.HasPrefix(text, "X") && utf8.ValidString(value) {
		d.Native = text
	}
	return d
}

// spelling returns the original spelling of a default if it is an equivalent literal
// of a blob, else "". MariaDB garbles a literal with a character set introducer.
func (s *Server) spelling(c *schema.Column) string {
	d := c.Default
	if d == nil || d.Expr || d.Native == "" || c.Type.Kind != schema.Binary || !s.unlimited(c) || sqltext.Value(d.Native) != nil {
		return ""
	}
	m := literalOf(c, d.Native)
	switch {
	case m == nil || m.Value != d.Value || grammar.Whole(d.Native, nil, (*sqltext.Parser).Operand) != nil:
		return ""
	case !s.MariaDB:
		return "(" + d.Native + ")"
	case strings.HasPrefix(d.Native, "'"):
		return d.Native
	}
	return ""
}

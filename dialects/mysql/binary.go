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
			if c.Default.Expr {
				if raw, ok := latin1(c.Default.Value); ok && declares(create, c.Name, raw) {
					c.Default.Value = raw // finish refuses it
				}
				continue
			}
			raw, ok := declaredDefault(create, c.Name)
			if !ok {
				return fmt.Errorf("table %s: the default of column %s can't be found in %q", t.FullName, c.Name, create)
			}
			c.Default.Value = canonical(c, raw)
			if i.spelling(c) == "" {
				c.Default.Native = ""
			}
		}
	}
	return nil
}

// binaryWithDefault lists the columns whose defaults SHOW CREATE TABLE must tell:
// binary ones, and expressions in which MySQL's catalog may have taken bytes for
// characters.
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

// declaredDefault finds the default of a column, which has no other quoted words
// before it, in the words of SHOW CREATE TABLE: '\0a', or an expression in brackets.
func declaredDefault(create, column string) (string, bool) {
	_, rest, _ := strings.Cut(create, "\n  "+Ident(column)+" ")
	_, literal, ok := strings.Cut(rest, " DEFAULT ")
	if !ok {
		return "", false
	}
	value, _, ok := binaryLiteral(strings.TrimPrefix(literal, "("))
	return value, ok
}

// declares tells whether the bytes of an expression that are not ASCII are in the
// declaration of a column. The rest of it may be spelled in another way there.
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

// introducer is the name of a character set before a literal: _utf8mb4'a'.
var introducer = regexp.MustCompile(`^_[a-z0-9]+'`)

// binaryLiteral reads the literal that text begins with as the bytes that a binary
// column holds of it: 'a', _utf8mb4'a', 0x61 or X'61'.
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

// literalOf reads an expression that is a literal: nil if it is none. That of a
// binary column keeps its spelling, which the server repeats.
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

// spelling gives a default as it was spelled, if that is a literal of a blob that
// means the same; else "". MariaDB garbles a literal with a character set before it.
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

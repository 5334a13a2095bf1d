package mysql

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

// FromCell returns the expression that computes a column's value from its cell in a
// user variable of LOAD DATA, or "" for a column that accepts the cell unchanged.
func FromCell(c *schema.Column, variable string) string {
	switch {
	case asHex(c):
		return "UNHEX(SUBSTR(" + variable + ", 3))" // without \x
	case c.Type.Kind == schema.Bit:
		return "CAST(CONV(" + variable + ", 2, 10) AS UNSIGNED)"
	}
	return ""
}

// AppendLiteral appends a cell as an SQL literal. It returns an error for a cell that
// does not fit the column's kind, because rows may come from a forged snapshot.
// Numbers are quoted: a bare -0 would lose its sign.
func AppendLiteral(dst []byte, c *schema.Column, cell []byte) ([]byte, error) {
	switch {
	case rows.IsNull(cell):
		return append(dst, "NULL"...), nil
	case asHex(c):
		value, ok := bytes.CutPrefix(cell, []byte(`\\x`))
		if !ok || len(value)%2 != 0 || !onlyOf(value, "0123456789abcdefABCDEF") {
			return dst, fmt.Errorf("column %s: %.60q is not \\x with hex digits", c.Name, cell)
		}
		return append(append(append(dst, "x'"...), value...), '\''), nil
	case c.Type.Kind == schema.Bit:
		if !onlyOf(cell, "01") {
			return dst, fmt.Errorf("column %s: %.60q is not a string of bits", c.Name, cell)
		}
		return append(append(append(dst, "b'"...), cell...), '\''), nil
	case isFloat4(c):
		cell = AppendFloat4(nil, cell)
	}
	return appendQuoted(dst, c, cell)
}

// appendQuoted appends a cell as a string literal. The escapes of cells are also
// valid in string literals, so only quotes need escaping.
func appendQuoted(dst []byte, c *schema.Column, cell []byte) ([]byte, error) {
	dst = append(dst, '\'')
	for at := 0; at < len(cell); at++ {
		switch b := cell[at]; b {
		case '\'':
			dst = append(dst, '\\', b)
		case '\\':
			if at++; at == len(cell) || strings.IndexByte(`\tnr`, cell[at]) < 0 {
				return dst, fmt.Errorf("column %s: a value has an invalid escape", c.Name)
			}
			dst = append(dst, b, cell[at])
		default:
			dst = append(dst, b)
		}
	}
	return append(dst, '\''), nil
}

func onlyOf(text []byte, chars string) bool {
	for _, b := range text {
		if strings.IndexByte(chars, b) < 0 {
			return false
		}
	}
	return true
}

// AppendFloat4 appends a cell of a 4-byte float as the text of a double with the same
// value. The server parses a double first: the shortest text of the greatest float
// (3.4028235e+38) is out of range for it, and others would be rounded twice, to a
// neighbouring float (7.038531e-26). NULL is unchanged.
func AppendFloat4(dst, cell []byte) []byte {
	f, err := strconv.ParseFloat(string(cell), 32)
	if err != nil {
		return append(dst, cell...) // the server reports what is wrong with it
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

// RefusesRow reports whether the server rejected a statement because of a row's
// values, so that other rows may still be accepted.
func RefusesRow(err error) bool {
	var e *mysql.MySQLError
	if !errors.As(err, &e) {
		return false
	}
	switch class := string(e.SQLState[:2]); class {
	case "22", "23": // data exception, integrity constraint violation
		return true
	}
	switch e.Number {
	case 1030, 1118, 139, // row size
		1265, 1300, 1364, 1366, 1367, 1411, 1416, // a value that does not fit the column's type
		1526,       // no partition for it
		3140, 3819: // JSON, CHECK
		return true
	}
	return false
}

// ColumnOf returns the column or key named in the server's error, or "".
func ColumnOf(err error) string {
	var e *mysql.MySQLError
	if !errors.As(err, &e) {
		return ""
	}
	for _, word := range []string{"column '", "Column '"} {
		if _, after, ok := strings.Cut(e.Message, word); ok {
			name, _, _ := strings.Cut(after, "'")
			return name
		}
	}
	// MariaDB writes the full path of a column: `database`.`table`.`column`.
	if _, after, ok := strings.Cut(e.Message, "column `"); ok {
		parts := strings.SplitN(after, "`", 6)
		if len(parts) >= 5 {
			return parts[4]
		}
	}
	return ""
}

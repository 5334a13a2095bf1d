package mysql

import (
	"errors"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

// FromCell gives the expression that makes the value of a column from its cell in
// a user variable of LOAD DATA, "" for a column that takes the cell as it is.
func FromCell(c *schema.Column, variable string) string {
	switch {
	case asHex(c):
		return "UNHEX(SUBSTR(" + variable + ", 3))" // without \x
	case c.Type.Kind == schema.Bit:
		return "CAST(CONV(" + variable + ", 2, 10) AS UNSIGNED)"
	}
	return ""
}

// AppendLiteral appends a cell as an SQL literal. The escapes of a cell are those
// of a string literal too, so only quotes in it need one more. Numbers stand in
// quotes: a bare -0 would lose its sign.
func AppendLiteral(dst []byte, c *schema.Column, cell []byte) []byte {
	switch {
	case rows.IsNull(cell):
		return append(dst, "NULL"...)
	case asHex(c):
		dst = append(dst, "x'"...)
		dst = append(dst, cell[min(len(cell), 3):]...) // without \\x
		return append(dst, '\'')
	case c.Type.Kind == schema.Bit:
		dst = append(dst, "b'"...)
		dst = append(dst, cell...)
		return append(dst, '\'')
	case c.Type.Kind == schema.Float && c.Type.Size == 4:
		dst = append(dst, '\'')
		dst = AppendFloat4(dst, cell)
		return append(dst, '\'')
	}
	dst = append(dst, '\'')
	for _, b := range cell {
		if b == '\'' {
			dst = append(dst, '\\')
		}
		dst = append(dst, b)
	}
	return append(dst, '\'')
}

// AppendFloat4 appends a cell of a 4-byte float as the text of a double of the
// same value. The server reads a double first: the shortest text of the greatest
// float is too great a double (3.4028235e+38), and others would be rounded twice,
// to a float beside them (7.038531e-26). NULL stays.
func AppendFloat4(dst, cell []byte) []byte {
	f, err := strconv.ParseFloat(string(cell), 32)
	if err != nil {
		return append(dst, cell...) // the server says what is wrong with it
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

// RefusesRow tells whether the server refused a statement for the values of a
// row, so that other rows may still be taken.
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
		1265, 1300, 1364, 1366, 1367, 1411, 1416, // a value that the column's type doesn't hold
		1526,       // no partition for it
		3140, 3819: // JSON, CHECK
		return true
	}
	return false
}

// ColumnOf finds the column or key that the server's error names, "" for none.
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
	// MariaDB writes the whole path of a column: `database`.`table`.`column`.
	if _, after, ok := strings.Cut(e.Message, "column `"); ok {
		parts := strings.SplitN(after, "`", 6)
		if len(parts) >= 5 {
			return parts[4]
		}
	}
	return ""
}

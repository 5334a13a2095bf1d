// Package rows defines how table rows are encoded when they are transferred and
// stored: the text format of PostgreSQL's COPY (PostgreSQL manual, "COPY", Text
// Format), restricted to the subset that MySQL's LOAD DATA reads the same way.
//
//   - a tab between columns, a newline after every row, columns in schema order;
//   - \N alone for NULL; the only escapes are \\ \t \n \r; every other byte is
//     literal;
//   - a binary value is \x and lower-case hex, so its backslash is escaped: \\x00ff;
//   - every other value is the canonical text of its schema.Kind.
//
// A value has exactly one encoding, so equal rows are equal bytes.
package rows

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// Null is the cell that represents NULL.
const Null = `\N`

// AppendText appends value as an escaped cell.
func AppendText[T []byte | string](dst []byte, value T) []byte {
	start := 0
	for i := 0; i < len(value); i++ {
		var letter byte
		switch value[i] {
		case '\\':
			letter = '\\'
		case '\t':
			letter = 't'
		case '\n':
			letter = 'n'
		case '\r':
			letter = 'r'
		default:
			continue
		}
		dst = append(dst, value[start:i]...)
		dst = append(dst, '\\', letter)
		start = i + 1
	}
	return append(dst, value[start:]...)
}

// AppendBinary appends value as a cell of hex digits.
func AppendBinary(dst, value []byte) []byte {
	dst = append(dst, '\\', '\\', 'x')
	return hex.AppendEncode(dst, value)
}

// AppendFloat appends the canonical text of a floating point number; bits is 32 or 64.
func AppendFloat(dst []byte, value float64, bits int) []byte {
	switch {
	case math.IsNaN(value):
		return append(dst, "NaN"...)
	case math.IsInf(value, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(value, -1):
		return append(dst, "-Infinity"...)
	}
	return strconv.AppendFloat(dst, value, 'g', -1, bits)
}

// IsNull reports whether a cell returned by Split is NULL.
func IsNull(cell []byte) bool { return len(cell) == 2 && cell[0] == '\\' && cell[1] == 'N' }

var errEscape = errors.New(`a backslash outside of the escapes \\ \t \n \r`)

// Unescape appends the value of a cell that is not NULL. Escapes that only the full
// COPY format knows, and invalid ones, are an error.
func Unescape(dst, cell []byte) ([]byte, error) {
	for {
		i := bytes.IndexByte(cell, '\\')
		if i < 0 {
			return append(dst, cell...), nil
		}
		dst = append(dst, cell[:i]...)
		if i+1 == len(cell) {
			return dst, errEscape
		}
		switch cell[i+1] {
		case '\\':
			dst = append(dst, '\\')
		case 't':
			dst = append(dst, '\t')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		default:
			return dst, errEscape
		}
		cell = cell[i+2:]
	}
}

// Binary appends the bytes of a binary cell that is not NULL.
func Binary(dst, cell []byte) ([]byte, error) {
	if !bytes.HasPrefix(cell, []byte(`\\x`)) {
		return dst, fmt.Errorf(`binary cell starts with %q instead of \\x`, cell[:min(8, len(cell))])
	}
	dst, err := hex.AppendDecode(dst, cell[3:])
	if err != nil {
		return dst, fmt.Errorf("binary cell: %w", err)
	}
	return dst, nil
}

// Next splits off the first row of data, without its newline. ok is false at the end.
// Data that does not end in a newline is an error.
func Next(data []byte) (row, rest []byte, ok bool, err error) {
	if len(data) == 0 {
		return nil, nil, false, nil
	}
	i := bytes.IndexByte(data, '\n')
	if i < 0 {
		return nil, nil, false, fmt.Errorf("the last row is cut off after %d bytes", len(data))
	}
	return data[:i], data[i+1:], true, nil
}

// Split appends the cells of a row to dst[:0]; they alias row and are still escaped.
func Split(dst [][]byte, row []byte) [][]byte {
	dst = dst[:0]
	for {
		i := bytes.IndexByte(row, '\t')
		if i < 0 {
			return append(dst, row)
		}
		dst = append(dst, row[:i])
		row = row[i+1:]
	}
}

package sqlite

import (
	"bytes"
	"database/sql/driver"
	"fmt"
	"math"
	"strconv"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

// Encoder converts cells to the values that SQLite stores. It is not safe for
// concurrent use.
type Encoder struct{ scratch []byte }

// Value is the inverse of AppendCell: it returns nil, int64, float64, string or
// []byte for a cell of a column of type t. The error says what is wrong with the
// cell.
func (e *Encoder) Value(cell []byte, t *schema.Type) (driver.Value, error) {
	if rows.IsNull(cell) {
		return nil, nil
	}
	switch t.Kind {
	case schema.Int:
		return integer(cell, t)
	case schema.Decimal:
		return decimal(cell, t)
	case schema.Float:
		return e.float(cell, t)
	case schema.Bool:
		switch string(cell) {
		case "t":
			return int64(1), nil
		case "f":
			return int64(0), nil
		}
		return nil, fmt.Errorf("%q is neither t nor f", cut(cell))
	case schema.Binary:
		value, err := rows.Binary([]byte{}, cell)
		if err != nil {
			return nil, err
		}
		return value, nil
	}
	if bytes.IndexByte(cell, '\\') < 0 {
		return string(cell), nil
	}
	var err error
	if e.scratch, err = rows.Unescape(e.scratch[:0], cell); err != nil {
		return nil, err
	}
	return string(e.scratch), nil
}

func integer(cell []byte, t *schema.Type) (driver.Value, error) {
	if n, err := strconv.ParseInt(string(cell), 10, 64); err == nil {
		var plain [20]byte
		if inRange(t, n) && bytes.Equal(strconv.AppendInt(plain[:0], n, 10), cell) {
			return n, nil
		}
	} else if _, ok := appendBlob(nil, t, cell); ok {
		return bytes.Clone(cell), nil
	}
	return nil, fmt.Errorf("%q is not an integer of %d bytes", cut(cell), t.Size)
}

func decimal(cell []byte, t *schema.Type) (driver.Value, error) {
	if !isDecimal(cell, t) {
		return nil, fmt.Errorf("%q is not a decimal of %d digits, %d of them after the point", cut(cell), t.Length, t.Scale)
	}
	if !numeric(*t) {
		return string(cell), nil
	}
	v, err := strconv.ParseFloat(string(cell), 64)
	var again [40]byte
	if err == nil && !math.IsInf(v, 0) && !math.IsNaN(v) && bytes.Equal(strconv.AppendFloat(again[:0], v, 'f', t.Scale, 64), cell) && (v != 0 || cell[0] != '-') {
		return v, nil
	}
	return bytes.Clone(cell), nil
}

func (e *Encoder) float(cell []byte, t *schema.Type) (driver.Value, error) {
	switch string(cell) {
	case "-0", "NaN": // SQLite would store them as 0 and NULL
		return bytes.Clone(cell), nil
	}
	v, err := strconv.ParseFloat(string(cell), 64)
	if err == nil {
		var ok bool
		if e.scratch, ok = AppendCell(e.scratch[:0], t, v); !ok && t.Size == 4 {
			v = float64(float32(v))
			e.scratch, ok = AppendCell(e.scratch[:0], t, v)
		}
		if ok && bytes.Equal(e.scratch, cell) {
			return v, nil
		}
	}
	return nil, fmt.Errorf("%q is not a floating point number of %d bytes", cut(cell), t.Size)
}

// cut shortens a cell for a message.
func cut(cell []byte) []byte { return cell[:min(len(cell), 40)] }

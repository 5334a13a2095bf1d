package mysql

import (
	"bytes"
	"database/sql/driver"
	"fmt"
	"strconv"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

// form says how the driver's value of a column becomes a cell.
type form uint8

const (
	asText form = iota
	asBytes
	asNumber
	asFloat32
	asBits
	asMoment // time, datetime, timestamp
	asYear
)

func formOf(c *schema.Column) form {
	switch c.Type.Kind {
	case schema.Int, schema.Decimal:
		return asNumber
	case schema.Float:
		if c.Type.Size == 4 {
			return asFloat32
		}
		return asNumber
	case schema.Bit:
		return asBits
	case schema.Time, schema.DateTime, schema.Timestamp:
		return asMoment
	case schema.Year:
		return asYear
	}
	if asHex(c) {
		return asBytes
	}
	return asText
}

// appendCell appends a value of the binary protocol, as returned by go-sql-driver, in
// the canonical text of its kind (package schema). length is the length of a bit
// column.
func appendCell(dst []byte, value driver.Value, f form, length int) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(dst, rows.Null...), nil
	case int64:
		if f == asYear && v == 0 {
			return append(dst, "0000"...), nil
		}
		return strconv.AppendInt(dst, v, 10), nil
	case float64:
		return rows.AppendFloat(dst, v, 64), nil
	case float32:
		return rows.AppendFloat(dst, float64(v), 32), nil
	case []byte:
		return appendBytes(dst, v, f, length), nil
	case string:
		return rows.AppendText(dst, v), nil
	}
	return dst, fmt.Errorf("unexpected value of type %T from the driver", value)
}

func appendBytes(dst, v []byte, f form, length int) []byte {
	switch f {
	case asBytes:
		return rows.AppendBinary(dst, v)
	case asNumber:
		for len(v) > 1 && v[0] == '0' && v[1] >= '0' && v[1] <= '9' { // ZEROFILL
			v = v[1:]
		}
		return append(dst, v...)
	case asBits:
		for n := length - 1; n >= 0; n-- {
			bit := byte('0')
			if at := len(v) - 1 - n/8; at >= 0 {
				bit += v[at] >> (n % 8) & 1
			}
			dst = append(dst, bit)
		}
		return dst
	case asMoment:
		return append(dst, trimFraction(v)...)
	}
	return rows.AppendText(dst, v)
}

// trimFraction trims trailing zeros of a fraction of seconds, and the point if
// nothing is left.
func trimFraction(v []byte) []byte {
	if bytes.IndexByte(v, '.') < 0 {
		return v
	}
	return bytes.TrimSuffix(bytes.TrimRight(v, "0"), []byte("."))
}

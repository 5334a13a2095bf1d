package sqlite

import (
	"database/sql/driver"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

// AppendCell appends a value from the driver (nil, int64, float64, string, []byte) as
// a cell of a column of type t, and reports whether the value fits the type. If not,
// it appends nothing.
func AppendCell(dst []byte, t *schema.Type, v driver.Value) ([]byte, bool) {
	switch v := v.(type) {
	case nil:
		return append(dst, rows.Null...), true
	case int64:
		return appendInt(dst, t, v)
	case float64:
		return appendReal(dst, t, v)
	case string:
		return appendText(dst, t, v)
	case []byte:
		return appendBlob(dst, t, v)
	}
	return dst, false
}

func appendInt(dst []byte, t *schema.Type, v int64) ([]byte, bool) {
	switch t.Kind {
	case schema.Int:
		if !inRange(t, v) {
			return dst, false
		}
		return strconv.AppendInt(dst, v, 10), true
	case schema.Decimal:
		start := len(dst)
		dst = strconv.AppendInt(dst, v, 10)
		if t.Length > 0 && t.Scale > 0 {
			dst = append(dst, '.')
			for range t.Scale {
				dst = append(dst, '0')
			}
		}
		if !isDecimal(dst[start:], t) {
			return dst[:start], false
		}
		return dst, true
	case schema.Float:
		if v > 1<<53 || v < -1<<53 {
			return dst, false
		}
		return appendReal(dst, t, float64(v))
	case schema.Bool:
		if v != 0 && v != 1 {
			return dst, false
		}
		return append(dst, "ft"[v]), true
	case schema.Text:
		return strconv.AppendInt(dst, v, 10), true
	case schema.Binary:
		return appendBlob(dst, t, strconv.AppendInt(nil, v, 10))
	}
	return dst, false
}

func inRange(t *schema.Type, v int64) bool {
	bits := 8 * uint(t.Size)
	if bits == 0 || bits > 64 {
		bits = 64
	}
	if t.Unsigned {
		return v >= 0 && (bits == 64 || v < 1<<bits)
	}
	return v >= -1<<(bits-1) && v <= 1<<(bits-1)-1
}

func appendReal(dst []byte, t *schema.Type, v float64) ([]byte, bool) {
	start := len(dst)
	switch t.Kind {
	case schema.Float:
		if t.Size != 4 {
			return rows.AppendFloat(dst, v, 64), true
		}
		if dst = rows.AppendFloat(dst, v, 32); v == float64(float32(v)) || math.IsNaN(v) {
			return dst, true
		}
		// A 4-byte column holds the number with this shortest text.
		if again, err := strconv.ParseFloat(string(dst[start:]), 64); err == nil && again == v {
			return dst, true
		}
		return dst[:start], false
	case schema.Decimal:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return rows.AppendFloat(dst, v, 64), t.Length == 0
		}
		precision := -1
		if t.Length > 0 {
			precision = t.Scale
		}
		dst = strconv.AppendFloat(dst, v, 'f', precision, 64)
		if again, err := strconv.ParseFloat(string(dst[start:]), 64); err == nil && again == v && isDecimal(dst[start:], t) {
			return dst, true
		}
		return dst[:start], false
	case schema.Text:
		return rows.AppendFloat(dst, v, 64), true
	case schema.Binary:
		return appendBlob(dst, t, rows.AppendFloat(nil, v, 64))
	}
	return dst, false
}

func appendText(dst []byte, t *schema.Type, v string) ([]byte, bool) {
	switch t.Kind {
	case schema.Int, schema.Float, schema.Bool:
		return dst, false
	case schema.Decimal:
		if !isDecimal([]byte(v), t) {
			return dst, false
		}
		return append(dst, v...), true
	case schema.Char:
		if t.Length > 0 && len(v) > t.Length && utf8.RuneCountInString(v) > t.Length {
			return dst, false
		}
	case schema.Text:
		if t.Length > 0 && len(v) > t.Length {
			return dst, false
		}
	case schema.Binary:
		return appendBlob(dst, t, []byte(v))
	}
	return rows.AppendText(dst, v), true
}

// appendBlob treats a blob in a column of another type as the canonical text of a
// number that no storage class of SQLite can hold.
func appendBlob(dst []byte, t *schema.Type, v []byte) ([]byte, bool) {
	switch t.Kind {
	case schema.Binary:
		if t.Length > 0 && len(v) > t.Length {
			return dst, false
		}
		return rows.AppendBinary(dst, v), true
	case schema.Int:
		if n, err := strconv.ParseUint(string(v), 10, 64); err == nil && n > math.MaxInt64 && t.Unsigned && t.Size == 8 && v[0] != '0' {
			return append(dst, v...), true
		}
	case schema.Decimal:
		if isDecimal(v, t) {
			return append(dst, v...), true
		}
	case schema.Float:
		if s := string(v); s == "NaN" || s == "-0" {
			return append(dst, s...), true
		}
	}
	return dst, false
}

// isDecimal reports whether a text is the canonical text of a decimal of this type:
// [-]digits[.digits], without leading zeros, with exactly Scale decimals.
func isDecimal(text []byte, t *schema.Type) bool {
	switch string(text) {
	case "NaN", "Infinity", "-Infinity":
		return true
	}
	if len(text) > 0 && text[0] == '-' {
		text = text[1:]
	}
	whole := digits(text)
	if whole == 0 || whole > 1 && text[0] == '0' {
		return false
	}
	fraction := 0
	if rest := text[whole:]; len(rest) > 0 {
		if fraction = digits(rest[1:]); rest[0] != '.' || fraction == 0 || fraction != len(rest)-1 {
			return false
		}
	}
	if text[0] == '0' {
		whole = 0
	}
	return t.Length == 0 || fraction == t.Scale && whole <= max(t.Length-t.Scale, 0)
}

// digits returns the number of digits at the beginning of text.
func digits(text []byte) int {
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return n
}

package sqlite

import (
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/schema"
)

// exactDigits is the number of decimal digits that a real always preserves.
const exactDigits = 15

var integers = map[int]string{1: "TINYINT", 2: "SMALLINT", 3: "MEDIUMINT", 4: "INT", 8: "BIGINT"}

// words lists the types that are described by their name alone or with one number.
var words = map[schema.Kind]string{
	schema.Bool: "BOOLEAN", schema.Bit: "BIT_TEXT", schema.Date: "DATE_TEXT", schema.Time: "TIME_TEXT", schema.DateTime: "DATETIME_TEXT",
	schema.Timestamp: "TIMESTAMP_TEXT", schema.Year: "YEAR_TEXT", schema.JSON: "JSON_TEXT", schema.UUID: "UUID_TEXT",
	schema.Enum: "ENUM_TEXT", schema.Set: "SET_TEXT", schema.Text: "TEXT", schema.Other: "OTHER_TEXT",
}

// DeclaredType returns the declaration of a logical type. ParseType is its inverse.
func DeclaredType(t schema.Type) string {
	switch t.Kind {
	case schema.Int:
		name := integers[t.Size]
		if name == "" {
			name = "BIGINT"
		}
		if t.Unsigned {
			name += " UNSIGNED"
		}
		return name + numbers(t.Length)
	case schema.Decimal:
		switch {
		case t.Length <= 0:
			return "DECIMAL_TEXT"
		case numeric(t):
			return "DECIMAL" + numbers(t.Length, t.Scale)
		}
		return "DECIMAL_TEXT" + numbers(t.Length, t.Scale)
	case schema.Float:
		if t.Size == 4 {
			return "FLOAT"
		}
		return "DOUBLE"
	case schema.Char:
		if t.Fixed {
			return "CHAR" + numbers(t.Length)
		}
		return "VARCHAR" + numbers(t.Length)
	case schema.Binary:
		if t.Fixed {
			return "BLOB_FIXED" + numbers(t.Length)
		}
		return "BLOB" + numbers(t.Length)
	case schema.Text, schema.Bit:
		return words[t.Kind] + numbers(t.Length)
	case schema.Time, schema.DateTime, schema.Timestamp:
		return words[t.Kind] + numbers(t.Scale)
	case schema.Enum, schema.Set:
		quoted := make([]string, len(t.Values))
		for i, v := range t.Values {
			quoted[i] = Literal(v)
		}
		if len(quoted) == 0 {
			return words[t.Kind]
		}
		return words[t.Kind] + "(" + strings.Join(quoted, ",") + ")"
	}
	if name := words[t.Kind]; name != "" {
		return name
	}
	return "TEXT"
}

// numeric reports whether decimals of this type are stored as numbers.
func numeric(t schema.Type) bool {
	return t.Kind == schema.Decimal && t.Length > 0 && t.Length <= exactDigits && t.Scale >= 0 && t.Scale <= t.Length
}

// numbers returns (N) or (N,M), or "" if the first is 0.
func numbers(n ...int) string {
	if n[0] == 0 {
		return ""
	}
	text := make([]string, len(n))
	for i := range n {
		text[i] = strconv.Itoa(n[i])
	}
	return "(" + strings.Join(text, ",") + ")"
}

// Literal quotes a text for SQL.
func Literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// Quote quotes a name for SQL.
func Quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

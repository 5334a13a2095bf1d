package postgres

import (
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

var (
	quotedLiteral = regexp.MustCompile(`^(E|B)?'((?:[^'\\]|''|\\.)*)'(?:::[\w ."\[\]]+)?$`)
	plainNumber   = regexp.MustCompile(`^\(?(-?\d+(?:\.\d+)?)\)?(?:::[\w ."]+)?$`)
	nullLiteral   = regexp.MustCompile(`^NULL(?:::[\w ."\[\]()]+)?$`)
	nextval       = regexp.MustCompile(`^\(?nextval\(\(?'((?:[^']|'')+)'(?:::text\))?::regclass\)\)?(?:::\w+)?$`)
)

// sequenceOf returns the sequence that a default takes its values from, spelled
// as regclass reads it, if that is all that the default does.
func sequenceOf(expr string) (string, bool) {
	m := nextval.FindStringSubmatch(expr)
	if m == nil {
		return "", false
	}
	return strings.ReplaceAll(m[1], "''", "'"), true
}

// defaultOf reads a default as pg_get_expr writes it: a constant becomes the
// canonical text of the column's type, all else stays an expression.
func defaultOf(expr string, t schema.Type) *schema.Default {
	if expr == "" || nullLiteral.MatchString(expr) {
		return nil
	}
	if m := quotedLiteral.FindStringSubmatch(expr); m != nil {
		value := strings.ReplaceAll(m[2], "''", "'")
		if m[1] == "E" {
			value = strings.ReplaceAll(value, `\\`, `\`)
		}
		return &schema.Default{Value: canonical(value, t)}
	}
	if m := plainNumber.FindStringSubmatch(expr); m != nil {
		return &schema.Default{Value: canonical(m[1], t)}
	}
	switch expr {
	case "true", "false":
		return &schema.Default{Value: canonical(expr, t)}
	case "now()", "CURRENT_TIMESTAMP", "transaction_timestamp()":
		return &schema.Default{Value: "CURRENT_TIMESTAMP", Expr: true}
	}
	if value, ok := castLiteral(expr); ok {
		return &schema.Default{Value: canonical(value, t)}
	}
	return &schema.Default{Value: expr, Expr: true}
}

// canonical writes a constant of the server's as package schema wants it.
func canonical(value string, t schema.Type) string {
	switch t.Kind {
	case schema.Bool:
		return value[:min(1, len(value))]
	case schema.Timestamp:
		return strings.Replace(value, "+00", "", 1)
	case schema.Char:
		if t.Fixed {
			return strings.TrimRight(value, " ")
		}
	case schema.Float:
		if f, err := strconv.ParseFloat(value, t.Size*8); err == nil {
			return string(rows.AppendFloat(nil, f, t.Size*8))
		}
	case schema.Binary:
		if !strings.HasPrefix(value, `\x`) {
			return `\x` + hex.EncodeToString([]byte(value))
		}
	case schema.Decimal:
		if t.Length > 0 && plainNumber.MatchString(value) {
			return padded(value, t.Scale)
		}
	}
	return value
}

// padded gives a decimal number at least scale digits after its point.
func padded(number string, scale int) string {
	_, fraction, point := strings.Cut(number, ".")
	if scale <= len(fraction) {
		return number
	}
	if !point {
		number += "."
	}
	return number + strings.Repeat("0", scale-len(fraction))
}

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
	escapedLiteral = regexp.MustCompile(`^E('(?:[^'\\]|''|\\\\)*')(::.+)?$`)
	plainNumber    = regexp.MustCompile(`^-?\d+(?:\.\d+)?$`)
	nullLiteral    = regexp.MustCompile(`^NULL(?:::[\w ."\[\](),]+)?$`)
	nextval        = regexp.MustCompile(`^\(?nextval\(\(?'((?:[^']|'')+)'(?:::text\))?::regclass\)\)?(?:::\w+)?$`)
)

// sequenceOf returns the sequence, as text for regclass, if the default is just the
// next value of a sequence.
func sequenceOf(expr string) (string, bool) {
	m := nextval.FindStringSubmatch(expr)
	if m == nil {
		return "", false
	}
	return strings.ReplaceAll(m[1], "''", "'"), true
}

// defaultOf parses a default written by pg_get_expr: a constant becomes the canonical
// text of the column's type, anything else stays an expression.
func defaultOf(expr string, t schema.Type) *schema.Default {
	d := meaning(expr, t)
	if d == nil || defaultSQL(*d, t) == expr || !d.Expr && expr == respelled(d.Value, t) {
		return d
	}
	if t.Kind == schema.Enum && !d.Expr {
		return d // the literal's cast contains the type's name, which may change
	}
	d.Native = expr
	return d
}

// respelled returns how the server spells a default that was written as a literal.
func respelled(value string, t schema.Type) string {
	switch t.Kind {
	case schema.Bool:
		return map[string]string{"t": "true", "f": "false"}[value]
	case schema.Char:
		if t.Fixed {
			return Literal(value) + "::bpchar"
		}
		return Literal(value) + "::character varying"
	case schema.Text:
		return Literal(value) + "::text"
	case schema.Binary:
		return Literal(value) + "::bytea"
	case schema.Date:
		return Literal(value) + "::date"
	case schema.Time:
		return Literal(value) + "::time without time zone"
	case schema.DateTime:
		return Literal(value) + "::timestamp without time zone"
	case schema.Timestamp:
		return Literal(value+"+00") + "::timestamp with time zone"
	case schema.UUID:
		return Literal(value) + "::uuid"
	}
	return ""
}

func numeric(k schema.Kind) bool {
	return k == schema.Int || k == schema.Decimal || k == schema.Float
}

func meaning(expr string, t schema.Type) *schema.Default {
	if expr == "" {
		return nil
	}
	if nullLiteral.MatchString(expr) { // the server keeps it if the column's type has a length
		return &schema.Default{Value: "NULL", Expr: true}
	}
	literal := expr
	if m := escapedLiteral.FindStringSubmatch(expr); m != nil {
		literal = strings.ReplaceAll(m[1], `\\`, `\`) + m[2]
	}
	if value, ok := constant(literal); ok {
		return &schema.Default{Value: canonical(value, t)}
	}
	switch expr {
	case "true", "false":
		return &schema.Default{Value: canonical(expr, t)}
	case "now()", "CURRENT_TIMESTAMP", "transaction_timestamp()":
		return &schema.Default{Value: "CURRENT_TIMESTAMP", Expr: true}
	}
	return &schema.Default{Value: expr, Expr: true}
}

// defaultSQL writes a default, in its original spelling if the grammar allows that
// and it has the same meaning.
func defaultSQL(d schema.Default, t schema.Type) string {
	if m := meaning(d.Native, t); m != nil && m.Value == d.Value && m.Expr == d.Expr && refuseExpression(d.Native) == nil {
		return d.Native
	}
	switch {
	case d.Expr:
		return d.Value
	case numeric(t.Kind) && plainNumber.MatchString(d.Value):
		return short(d.Value) // as Moodle writes it; the server would add a cast to a quoted one
	}
	return Literal(d.Value)
}

// short writes a number without trailing zeros of its fraction.
func short(number string) string {
	if strings.Contains(number, ".") {
		return strings.TrimSuffix(strings.TrimRight(number, "0"), ".")
	}
	return number
}

// canonical converts a constant of the server to the canonical text of package
// schema.
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

// padded pads a decimal number to at least scale digits after the point.
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

package mysql

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

// readDefault reads information_schema.COLUMNS.COLUMN_DEFAULT. In MariaDB it is an
// SQL expression ('it”s', NULL, uuid()); in MySQL it is the value itself, or an
// expression if EXTRA has DEFAULT_GENERATED. nil means that no default is declared.
func (s *Server) readDefault(c *schema.Column, text, extra string) *schema.Default {
	if s.MariaDB {
		if text == "NULL" {
			return nil
		}
		if c.Type.Kind == schema.Binary && s.unlimited(c) && (strings.HasPrefix(text, "'") || strings.HasPrefix(text, "X'")) {
			if d := literalOf(c, text); d != nil {
				return d
			}
		}
		if value, rest, ok := unquote(text); ok && rest == "" {
			return &schema.Default{Value: canonical(c, value)}
		}
		if bits, ok := bitLiteral(text); ok {
			return &schema.Default{Value: canonical(c, bits)}
		}
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			return &schema.Default{Value: canonical(c, text)}
		}
		return expression(text)
	}
	if strings.Contains(extra, "DEFAULT_GENERATED") {
		text = unescapeAll(decoded(text)) // MySQL's catalog escapes expressions as if they were literals
		if d := literalOf(c, text); d != nil && s.expressionOnly(c) {
			return d
		}
		return expression(text)
	}
	if bits, ok := bitLiteral(text); ok && c.Type.Kind == schema.Bit {
		text = bits
	}
	return &schema.Default{Value: canonical(c, text)}
}

// decoded reverses the decoding of an expression's UTF-8 as Latin 1 in MySQL's
// catalog.
func decoded(text string) string {
	if raw, ok := latin1(text); ok && utf8.ValidString(raw) {
		return raw
	}
	return text
}

// latin1 encodes text in Latin 1; ok is false if that lacks a character.
func latin1(text string) (raw string, ok bool) {
	b := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			return "", false
		}
		b = append(b, byte(r))
	}
	return string(b), true
}

// introducers lists the character sets in which text has the same bytes as in
// utf8mb4.
var introducers = []string{"_utf8mb4", "_utf8mb3", "_ascii"}

// withoutIntroducers removes the introducers that MySQL puts before every literal.
// MariaDB stores an expression as text in which such literals have lost their
// escapes, and then cannot parse it.
func withoutIntroducers(expression string) string {
	var b strings.Builder
	for text := expression; text != ""; {
		n := 1
		if _, rest, ok := unquote(text); ok {
			n = len(text) - len(rest)
		}
		for _, introducer := range introducers {
			if strings.HasPrefix(text, introducer+"'") {
				text, n = text[len(introducer):], 0
			}
		}
		b.WriteString(text[:n])
		text = text[n:]
	}
	return b.String()
}

// textLiteral parses an expression that is a literal in one of those character sets.
func textLiteral(text string) (string, bool) {
	for _, introducer := range introducers {
		if literal, ok := strings.CutPrefix(text, introducer); ok {
			value, rest, ok := unquote(literal)
			return value, ok && rest == ""
		}
	}
	return "", false
}

func expression(text string) *schema.Default {
	upper := strings.ToUpper(text)
	if strings.HasPrefix(upper, "CURRENT_TIMESTAMP") {
		text = strings.TrimSuffix(upper, "()") // MariaDB writes current_timestamp()
	}
	return &schema.Default{Value: text, Expr: true}
}

func bitLiteral(s string) (string, bool) {
	bits, ok := strings.CutPrefix(s, "b'")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(bits, "'")
}

// canonical returns a default as a cell of the column would spell it.
func canonical(c *schema.Column, value string) string {
	switch c.Type.Kind {
	case schema.Int, schema.Decimal:
		return trimZeros(value)
	case schema.Float:
		if f, err := strconv.ParseFloat(value, c.Type.Size*8); err == nil {
			return string(rows.AppendFloat(nil, f, c.Type.Size*8))
		}
	case schema.Bit:
		if len(value) < c.Type.Length && strings.Trim(value, "01") == "" {
			return strings.Repeat("0", c.Type.Length-len(value)) + value
		}
	case schema.Binary:
		raw := []byte(value)
		if c.Type.Fixed && len(raw) < c.Type.Length {
			raw = append(raw, make([]byte, c.Type.Length-len(raw))...)
		}
		return `\x` + hex.EncodeToString(raw)
	case schema.Time, schema.DateTime, schema.Timestamp:
		return string(trimFraction([]byte(value)))
	}
	return value
}

// writeDefault returns the DEFAULT clause of a column, or "".
func (s *Server) writeDefault(t *schema.Table, c *schema.Column) string {
	d := c.Default
	switch {
	case refuseDefault(t, c) != nil, s.lacks(c) != nil: // Losses lists it
		return ""
	case d == nil && s.implicit && c.Type.Kind == schema.Timestamp && !c.Nullable:
		return " DEFAULT '0000-00-00 00:00:00'" // otherwise the server adds CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP
	case d == nil:
		return ""
	case s.spelling(c) != "":
		return " DEFAULT " + s.spelling(c)
	case d.Expr && timestampDefault.MatchString(d.Value):
		return " DEFAULT " + d.Value
	case d.Expr && s.MariaDB:
		return " DEFAULT (" + withoutIntroducers(d.Value) + ")"
	case d.Expr:
		return " DEFAULT (" + d.Value + ")"
	}
	literal := Literal(d.Value)
	switch {
	case c.Type.Kind == schema.Bit:
		literal = "b'" + d.Value + "'"
	case c.Type.Kind == schema.Binary:
		literal = "x'" + strings.TrimPrefix(d.Value, `\x`) + "'"
	case isFloat4(c):
		literal = Literal(float4Default(c, d.Value))
	}
	if s.expressionOnly(c) {
		return " DEFAULT (" + literal + ")"
	}
	return " DEFAULT " + literal
}

// float4Default spells the default of a 4-byte float as a double with the same value.
// The greatest value of float(10,3) is 9999999.999, which is stored as the float 1e7;
// MySQL rejects that as a default.
func float4Default(c *schema.Column, value string) string {
	if n, err := parseNative(c.Native); err == nil && len(n.numbers) == 2 {
		digits, scale := number(n.numbers[0]), number(n.numbers[1])
		greatest := strings.Repeat("9", max(digits-scale, 0)) + "." + strings.Repeat("9", scale)
		for _, bound := range []string{greatest, "-" + greatest} {
			if canonical(c, bound) == value {
				return bound
			}
		}
	}
	return string(AppendFloat4(nil, []byte(value)))
}

// onUpdate returns the ON UPDATE clause of a column, or "". Its precision must be the
// column's.
func onUpdate(c *schema.Column) string {
	switch {
	case !c.OnUpdate || refuseOnUpdate(c) != nil: // Losses lists it
		return ""
	case c.Type.Scale > 0:
		return fmt.Sprintf(" ON UPDATE CURRENT_TIMESTAMP(%d)", c.Type.Scale)
	}
	return " ON UPDATE CURRENT_TIMESTAMP"
}

// refuseOnUpdate returns an error for a column that cannot have ON UPDATE
// CURRENT_TIMESTAMP.
func refuseOnUpdate(c *schema.Column) error {
	if c.OnUpdate && c.Type.Kind != schema.DateTime && c.Type.Kind != schema.Timestamp {
		return fmt.Errorf("a %s column cannot have ON UPDATE CURRENT_TIMESTAMP", c.Type.Kind)
	}
	return nil
}

// expressionOnly reports whether MySQL accepts a default of the column only as an
// expression (MySQL manual, "Data Type Default Values").
func (s *Server) expressionOnly(c *schema.Column) bool {
	if s.MariaDB {
		return false
	}
	switch base := baseName(c.Native); base {
	case "json", "tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob":
		return true
	}
	return false
}

// trimZeros removes the padding of ZEROFILL.
func trimZeros(s string) string {
	for len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9' {
		s = s[1:]
	}
	return s
}

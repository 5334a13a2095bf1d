package typemap

import (
	"fmt"
	"strings"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// defaultOf transfers a default if the target can have it; otherwise it is a loss.
func (b *builder) defaultOf(from, to schema.Column, cell Cell) *schema.Default {
	d := from.Default
	if d == nil {
		return nil
	}
	if d.Expr {
		return b.expression(from, to)
	}
	value, err := carried(d.Value, from.Type, to.Type, cell, b.Schema.Dialect)
	if err != nil {
		b.loseDefault(from, "its default %q is %v", d.Value, err)
		return nil
	}
	return &schema.Default{Value: value}
}

// expression transfers CURRENT_TIMESTAMP, the only expression that all engines share.
func (b *builder) expression(from, to schema.Column) *schema.Default {
	switch {
	case from.Default.Value == "NULL": // the same as none
		return nil
	case !isNow(from.Default.Value):
		b.loseDefault(from, "its default is an expression of %s: %s", b.From.Dialect, from.Default.Value)
		return nil
	case to.Type.Kind != schema.DateTime && to.Type.Kind != schema.Timestamp:
		b.loseDefault(from, "a %s column cannot have the default CURRENT_TIMESTAMP", to.Type.Kind)
		return nil
	case b.Schema.Dialect == mysql && to.Type.Scale > 0: // its precision must be the column's
		return &schema.Default{Value: fmt.Sprintf("CURRENT_TIMESTAMP(%d)", to.Type.Scale), Expr: true}
	}
	return &schema.Default{Value: "CURRENT_TIMESTAMP", Expr: true}
}

func (b *builder) loseDefault(c schema.Column, format string, args ...any) {
	b.Losses = append(b.Losses, stage.LostDefault(b.From.Name, c.Name, fmt.Sprintf(format, args...)))
}

// isNow reports whether an expression is CURRENT_TIMESTAMP, with or without a
// precision.
func isNow(expr string) bool {
	rest, ok := strings.CutPrefix(strings.ToUpper(expr), "CURRENT_TIMESTAMP")
	return ok && (rest == "" || len(rest) == 3 && rest[0] == '(' && rest[1] >= '0' && rest[1] <= '6' && rest[2] == ')')
}

// carried converts the text of a default from one type to another. The error says
// what the target cannot hold.
func carried(value string, from, to schema.Type, cell Cell, target string) (string, error) {
	if from.Kind == schema.Decimal {
		value = rounded(value, from)
	}
	converted, ok := cell.append(nil, []byte(value))
	if !ok {
		return "", fmt.Errorf("not a %s", from.Kind)
	}
	value = string(converted)
	return value, holds(value, to, target)
}

package run

import (
	"fmt"
	"math/big"

	"github.com/lmsvault/vault/core/schema"
)

// sameDefault tells whether two columns of one dialect have the same default. Of
// expressions it is only seen that there is one: each product of a dialect
// spells them in its own way.
func sameDefault(want, got schema.Column) bool {
	w, g := want.Default, got.Default
	switch {
	case w == nil && want.Type.Kind == schema.Timestamp && !want.Nullable:
		return true // MySQL may be set to give it one (explicit_defaults_for_timestamp)
	case w == nil || g == nil:
		return w == nil && g == nil
	case w.Expr || g.Expr || w.Value == g.Value:
		return true
	}
	switch want.Type.Kind {
	case schema.JSON, schema.Other:
		return true // the engine's own spelling
	case schema.Int, schema.Decimal, schema.Float:
		a, okA := new(big.Rat).SetString(w.Value)
		b, okB := new(big.Rat).SetString(g.Value)
		return okA && okB && a.Cmp(b) == 0 // 0 and 0.00000
	}
	return false
}

func defaultWords(d *schema.Default) string {
	if d == nil {
		return "no default"
	}
	return fmt.Sprintf("default %q", d.Value)
}

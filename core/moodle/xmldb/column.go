package xmldb

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/schema"
)

// column compares a column with its definition.
func (c *comparison) column(t *schema.Table, want, got *schema.Column) {
	change := func(aspect Aspect, w, g string) {
		c.add(Difference{
			Kind: ChangedColumn, Severity: Included, Table: t.Name, Column: want.Name, Aspect: aspect, Want: w, Got: g,
			EngineOwn: aspect == AspectType && got.Type.Kind == schema.Other,
		})
	}
	switch same, length := sameType(want.Type, got.Type); {
	case !same:
		change(AspectType, want.Native, native(got))
	case !length:
		change(AspectLength, want.Native, native(got))
	}
	if want.Nullable != got.Nullable {
		change(AspectNull, null(want), null(got))
	}
	generated := t.Sequence != nil && t.Sequence.Column == want.Name
	if !generated && !sameDefault(want, got) {
		change(AspectDefault, defaultText(want), defaultText(got))
	}
}

// sameType compares the types of columns, apart from lengths, and lengths.
func sameType(want, got schema.Type) (same, length bool) {
	if want.Kind != got.Kind || want.Unsigned != got.Unsigned || want.Fixed != got.Fixed {
		return false, false
	}
	switch want.Kind {
	case schema.Int:
		// Only MariaDB keeps the number of digits.
		return true, got.Size >= want.Size && (got.Length == 0 || got.Length >= min(want.Length, maxDigits))
	case schema.Decimal, schema.Char:
		return true, want.Length == got.Length && want.Scale == got.Scale
	case schema.Float:
		return want.Size == got.Size, true
	case schema.Text, schema.Binary:
		return true, want.Length == got.Length
	}
	return true, true
}

// maxDigits is the most digits that Moodle expects of an integer.
const maxDigits = 18

// sameDefault compares defaults: numbers by their value. ” and none are the same
// where the definition has ”.
func sameDefault(want, got *schema.Column) bool {
	w, g := want.Default, got.Default
	if g != nil && g.Expr && strings.EqualFold(g.Value, "NULL") {
		g = nil
	}
	switch {
	case w == nil:
		return g == nil
	case g == nil:
		return w.Value == ""
	case g.Expr:
		return false
	}
	if want.Type.Kind == schema.Int || want.Type.Kind == schema.Decimal || want.Type.Kind == schema.Float {
		a, errA := strconv.ParseFloat(w.Value, 64)
		b, errB := strconv.ParseFloat(g.Value, 64)
		if errA == nil && errB == nil {
			return a == b
		}
	}
	return w.Value == g.Value
}

func null(c *schema.Column) string {
	if c.Nullable {
		return "NULL"
	}
	return "NOT NULL"
}

func defaultText(c *schema.Column) string {
	switch {
	case c.Default == nil:
		return ""
	case c.Default.Expr:
		return c.Default.Value
	}
	return "'" + c.Default.Value + "'"
}

// native returns the type of a column in its engine's syntax, as far as it is known.
func native(c *schema.Column) string {
	if c.Native != "" {
		return c.Native
	}
	if c.Type.Length > 0 {
		return fmt.Sprintf("%s(%d)", c.Type.Kind, c.Type.Length)
	}
	return string(c.Type.Kind)
}

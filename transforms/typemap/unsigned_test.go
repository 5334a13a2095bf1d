package typemap

import (
	"testing"

	"github.com/lmsvault/vault/core/schema"
)

// The proof compares the type that the target can have: SQLite has only unsigned
// integers, and every value of an unsigned decimal fits a decimal.
func TestUnsignedNumbersOfSQLite(t *testing.T) {
	from := schema.Table{Name: "x", Dialect: mysql, Columns: []schema.Column{
		{Name: "n", Type: schema.Type{Kind: schema.Int, Size: 8, Unsigned: true}},
		{Name: "d", Type: schema.Type{Kind: schema.Decimal, Length: 5, Scale: 2, Unsigned: true}},
		{Name: "f", Type: schema.Type{Kind: schema.Float, Size: 8, Unsigned: true}},
	}}
	m, err := (&transform{rules: Rules()}).Table(t.Context(), from, sqlite)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false, false} {
		if c := m.Schema.Columns[i]; c.Type.Unsigned != want {
			t.Errorf("column %s: unsigned %v, want %v", c.Name, c.Type.Unsigned, want)
		}
	}
}

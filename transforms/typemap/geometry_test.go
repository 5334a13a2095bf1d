package typemap

import (
	"testing"

	"github.com/lmsvault/vault/core/schema"
)

// Geometries in MySQL's format become text on every other engine.
func TestRowsOfGeometries(t *testing.T) {
	for hex, want := range map[string]string{
		`\N`: `\N`,
		`\\x000000000101000000000000000000f83f00000000000000c0`:                                                                                                     "POINT(1.5 -2)",
		`\\xe61000000101000000000000000000f83f00000000000000c0`:                                                                                                     "SRID=4326;POINT(1.5 -2)",
		`\\x0000000000000000013ff8000000000000c000000000000000`:                                                                                                     "POINT(1.5 -2)",
		`\\x0000000001020000000200000000000000000000000000000000000000000000000000f03f000000000000f03f`:                                                             "LINESTRING(0 0,1 1)",
		`\\x000000000103000000010000000200000000000000000000000000000000000000000000000000f03f000000000000f03f`:                                                     "POLYGON((0 0,1 1))",
		`\\x000000000104000000020000000101000000000000000000000000000000000000000101000000000000000000f03f000000000000f03f`:                                         "MULTIPOINT((0 0),(1 1))",
		`\\x00000000010700000000000000`:                                                                                                                             "GEOMETRYCOLLECTION EMPTY",
		`\\x0000000001070000000200000001010000000000000000000000000000000000000001020000000200000000000000000000000000000000000000000000000000f03f000000000000f03f`: "GEOMETRYCOLLECTION(POINT(0 0),LINESTRING(0 0,1 1))",
	} {
		for _, to := range []string{postgres, sqlite} {
			x := New(Config{})
			m, err := x.Table(t.Context(), schema.Table{Name: "g", Dialect: mysql, Columns: []schema.Column{{Name: "p", Type: schema.Type{Kind: schema.Other}, Native: "point", Nullable: true}}}, to)
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := x.Rows(t.Context(), m, nil, chunk([]byte(hex+"\n")))
			if err != nil || string(got) != want+"\n" {
				t.Errorf("to %s: %s became %q, %v, want %s", to, hex, got, err, want)
			}
		}
	}
}

// Invalid input is an error, not a crash.
func FuzzGeometry(f *testing.F) {
	f.Add([]byte(`\\x000000000101000000000000000000f83f00000000000000c0`))
	f.Add([]byte(`\\x000000000107000000ffffffff`))
	f.Add([]byte(`\\x0000000001040000000100000001020000000000000`))
	f.Fuzz(func(t *testing.T, cell []byte) {
		got, ok := appendGeometry([]byte("before "), cell)
		if string(got[:7]) != "before " || !ok && len(got) != 7 {
			t.Errorf("%q: %q, %v", cell, got, ok)
		}
	})
}

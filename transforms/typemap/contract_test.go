package typemap

import (
	"testing"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/isolated"
	"github.com/lmsvault/vault/plugins/conformance"
)

func TestContract(t *testing.T) {
	kind := func(name string, k schema.Kind, size int) schema.Column {
		return schema.Column{Name: name, Type: schema.Type{Kind: k, Size: size}, Nullable: true}
	}
	id := schema.Column{Name: "id", Type: bigint}
	tables := []conformance.TableRows{
		{Schema: schema.Table{Name: "flags", Dialect: postgres, PrimaryKey: []string{"id"},
			Columns: []schema.Column{id, kind("on", schema.Bool, 0), kind("body", schema.Text, 0)},
			Indexes: []schema.Index{{Name: "gin", Method: "gin", Columns: []schema.IndexColumn{{Name: "body"}}}, {Name: "body", Columns: []schema.IndexColumn{{Name: "body"}}}},
		}, Rows: []byte("1\tt\ta\\tb\\\\N\n2\tf\t\n3\t\\N\t\\N\n")},
		{Schema: schema.Table{Name: "years", Dialect: mysql, Columns: []schema.Column{kind("y", schema.Year, 0), kind("f", schema.Float, 4), kind("b", schema.Binary, 0)}},
			Rows: []byte("0000\t0.1\t\\\\x00ff\n2155\t-0\t\\N\n\\N\tNaN\t\\\\x\n")},
		{Schema: schema.Table{Name: "plain", Dialect: mysql, PrimaryKey: []string{"id"}, Sequence: &schema.Sequence{Column: "id", Next: 7},
			Columns: []schema.Column{id, {Name: "at", Type: schema.Type{Kind: schema.DateTime}, Default: &schema.Default{Value: "CURRENT_TIMESTAMP", Expr: true}}, kind("geo", schema.Other, 0)},
		}, Rows: []byte("1\t0000-00-00 00:00:00\t\\N\n6\t2024-01-01 00:00:00\tPOINT(1 2)\n")},
		{Schema: schema.Table{Name: "empty", Dialect: postgres, Columns: []schema.Column{kind("on", schema.Bool, 0)}}},
		{Schema: schema.Table{Name: "light", Dialect: sqlite, Columns: []schema.Column{id, kind("x", schema.Text, 0)}}, Rows: []byte("1\tx\n")},
	}
	st := isolated.Stage(t, Stage())
	conformance.Record(t, conformance.RecordFixture{
		Open: func(t testing.TB) stage.RecordTransform {
			x, err := st.NewRecord(t.Context(), &Config{Unknown: "text"}, stage.Env{})
			if err != nil {
				t.Fatal(err)
			}
			return x
		},
		Tables:  tables,
		Targets: []string{"", mysql, postgres, sqlite},
	})
}

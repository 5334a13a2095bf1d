package replaceaddress_test

import (
	"testing"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/isolated"
	"github.com/lmsvault/vault/plugins/conformance"
	"github.com/lmsvault/vault/transforms/replaceaddress"
)

func TestContract(t *testing.T) {
	st := isolated.Stage(t, replaceaddress.Stage())
	table := func(name string, kinds ...schema.Kind) schema.Table {
		s := schema.Table{Name: name, PrimaryKey: []string{"id"}, Columns: []schema.Column{{Name: "id", Type: schema.Type{Kind: schema.Int, Size: 8}}}}
		for _, k := range kinds {
			s.Columns = append(s.Columns, schema.Column{Name: string(k), Type: schema.Type{Kind: k}, Nullable: true})
		}
		return s
	}
	conformance.Record(t, conformance.RecordFixture{
		Open: func(t testing.TB) stage.RecordTransform {
			x, err := st.NewRecord(t.Context(), &replaceaddress.Config{From: "http://a.org", To: "https://b.org/lms"}, stage.Env{})
			if err != nil {
				t.Fatal(err)
			}
			return x
		},
		Tables: []conformance.TableRows{
			{Schema: table("page", schema.Text, schema.Char, schema.JSON), Rows: []byte("1\tsee http://a.org/x\\n\t\\N\t\\N\n2\tother\tx\t{}\n3\t\\N\tO:1:\"http://a.org\t[\"http:\\\\/\\\\/a.org\"]\n")},
			{Schema: table("count", schema.Int), Rows: []byte("1\t5\n")},
		},
		Targets: []string{"", "mysql", "postgres", "sqlite"},
	})
}

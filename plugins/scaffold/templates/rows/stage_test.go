package main

import (
	"bytes"
	"testing"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
	"github.com/lmsvault/vault/plugins/sdk"
)

func opened(t testing.TB) sdk.RecordTransform {
	r, err := open(t.Context(), &Config{Columns: []string{"user.phone1", "user.email"}}, sdk.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The conformance kit tests everything that Vault relies on. vault plugin test runs the
// same checks with the finished program, and kills it too.
func TestContract(t *testing.T) {
	conformance.Record(t, conformance.RecordFixture{
		Open: opened, Tables: conformance.SampleTables(), Targets: []string{"", "mysql", "postgres", "sqlite"},
	})
}

func TestBlank(t *testing.T) {
	table := schema.Table{Name: "user", PrimaryKey: []string{"id"}, Columns: []schema.Column{
		{Name: "id", Type: schema.Type{Kind: schema.Int, Size: 8}},
		{Name: "email", Type: schema.Type{Kind: schema.Char, Length: 100}},
		{Name: "phone1", Type: schema.Type{Kind: schema.Char, Length: 20}, Nullable: true},
	}}
	r := opened(t)
	m, err := r.Table(t.Context(), table, "")
	if err != nil || !m.Rewrite || len(m.Notes) != 2 {
		t.Fatalf("%+v, %v", m, err)
	}
	got, _, err := r.Rows(t.Context(), m, nil, chunk([]byte("1\ta@example.com\t123\n2\tb@example.com\t\\N\n")))
	if want := "1\t\t\\N\n2\t\t\\N\n"; err != nil || string(got) != want {
		t.Errorf("%q, want %q (%v)", got, want, err)
	}
	if _, err := r.Table(t.Context(), schema.Table{Name: "user", Columns: table.Columns[:2]}, ""); err == nil {
		t.Error("a missing column is no error: a misspelt column would not be blanked")
	}
	other, err := r.Table(t.Context(), schema.Table{Name: "course", Columns: table.Columns}, "")
	if err != nil || other.Rewrite || other.Schema.Name != "course" {
		t.Errorf("another table: %+v, %v", other, err)
	}
}

// chunk returns rows as a stage gets them.
func chunk(data []byte) stage.Chunk {
	return stage.Chunk{Data: data, Rows: bytes.Count(data, []byte{'\n'})}
}

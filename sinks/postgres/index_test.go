package postgres_test

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/servers"
	sink "github.com/lmsvault/vault/sinks/postgres"
)

// An index that a row is too large for is reported with name and reason; the row, all
// other indexes and the rest of the table are restored.
func TestIndexTooSmallForRowIsLoss(t *testing.T) {
	db := servers.Postgres(t)
	text := schema.Column{Name: "url", Type: schema.Type{Kind: schema.Text}, Native: "text"}
	index := func(name string, columns ...string) schema.Index {
		x := schema.Index{Name: name}
		for _, c := range columns {
			x.Columns = append(x.Columns, schema.IndexColumn{Name: c})
		}
		return x
	}
	wide := table("wide", text, intColumn("n"))
	wide.Indexes = []schema.Index{index("by_url", "url"), index("by_n", "n"), index("unique_url", "url", "n")}
	wide.Indexes[2].Unique = true
	keyed := table("keyed", text)
	keyed.PrimaryKey, keyed.Sequence = []string{"url"}, nil
	long := func() string { // incompressible
		raw := make([]byte, 3000)
		if _, err := rand.Read(raw); err != nil {
			t.Fatal(err)
		}
		return hex.EncodeToString(raw)
	}
	s := newSink(t, sink.Config{Connection: where(db.DSN)})
	if err := s.Begin(t.Context(), plan(wide, keyed)); err != nil {
		t.Fatal(err)
	}
	write(t, s, "wide", fmt.Sprintf("1\tshort\t1\n2\t%s\t2\n", long()))
	write(t, s, "keyed", fmt.Sprintf("1\t%s\n", long()))
	if err := s.Finish(t.Context(), &stage.Outcome{}); err != nil {
		t.Fatal(err)
	}
	proofs, err := s.Prove(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range proofs {
		for _, l := range p.Losses {
			got = append(got, string(l.Kind)+" "+l.Path+" "+l.Where)
			if !strings.Contains(l.Reason, "maximum") || l.Count != 1 {
				t.Errorf("the reason is %q, the count %d", l.Reason, l.Count)
			}
		}
		if want := int64(map[string]int{"wide": 2, "keyed": 1}[p.Schema.Name]); p.Sum.Rows != want {
			t.Errorf("table %s has %d rows", p.Schema.Name, p.Sum.Rows)
		}
	}
	slices.Sort(got)
	if want := []string{"index db/keyed primary key", "index db/wide index by_url", "index db/wide index unique_url"}; !slices.Equal(got, want) {
		t.Errorf("losses %q, want %q", got, want)
	}
	names := column(t, db.SQL, `SELECT indexname FROM pg_indexes WHERE tablename LIKE 'mdl%' AND tablename <> 'mdl_vault_restoring' ORDER BY 1`)
	if want := []string{"mdl_wide_id_pk", "mdl_wide_n_ix"}; !slices.Equal(names, want) {
		t.Errorf("indexes %q, want %q", names, want)
	}
	if got := column(t, db.SQL, `SELECT nextval('mdl_wide_id_seq')`); got[0] != "3" {
		t.Errorf("the sequence continues at %q", got)
	}
	if err := s.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := column(t, db.SQL, `SELECT to_regclass('mdl_vault_restoring')`); got[0] != "" {
		t.Error("the site is marked as unfinished")
	}
}

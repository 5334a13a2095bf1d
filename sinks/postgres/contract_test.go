package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/isolated"
	"github.com/lmsvault/vault/internal/servers"
	"github.com/lmsvault/vault/plugins/conformance"
	sink "github.com/lmsvault/vault/sinks/postgres"
)

func TestContract(t *testing.T) {
	keyed := table("keyed", schema.Column{Name: "x", Type: schema.Type{Kind: schema.Text}, Native: "text", Nullable: true})
	keyed.Indexes = []schema.Index{{Name: "x", Columns: []schema.IndexColumn{{Name: "x"}}}, {Name: "u", Unique: true, Columns: []schema.IndexColumn{{Name: "x"}, {Name: "id"}}}}
	empty := schema.Table{Name: "empty", Dialect: "postgres", Columns: keyed.Columns}
	unit := func(id, table string, chunks ...string) conformance.UnitItems {
		item := conformance.Item{Entry: stage.Entry{Path: "db/" + table, Kind: stage.Table}}
		for _, c := range chunks {
			item.Chunks = append(item.Chunks, stage.Chunk{Data: []byte(c), Rows: strings.Count(c, "\n")})
		}
		return conformance.UnitItems{Unit: stage.Unit{ID: id, Part: stage.DB, Table: table}, Items: []conformance.Item{item}}
	}
	p := plan(keyed, empty)
	p.Workers = 3
	conformance.Sink(t, conformance.SinkFixture{
		Place: place,
		Plan:  p,
		Units: []conformance.UnitItems{
			unit("keyed#1", "keyed", "1\tone\n2\t\n", "3\tthree\n"),
			unit("keyed#2", "keyed", "4\tfo'u\\\\r\n"),
			unit("empty", "empty"),
		},
	})
}

func place(t testing.TB) conformance.Target {
	db := servers.Postgres(t)
	c := sink.Config{Connection: where(db.DSN)}
	if err := config.Defaults(&c); err != nil {
		t.Fatal(err)
	}
	tables := func(t testing.TB) []string {
		return column(t, db.SQL, `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S') ORDER BY 1`)
	}
	st := isolated.Stage(t, sink.Stage())
	return conformance.Target{
		Open: func() stage.Sink {
			s, err := st.NewSink(t.Context(), &c, stage.Env{Workers: 3})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Untouched: func(t testing.TB) {
			if left := tables(t); len(left) > 0 {
				t.Errorf("the target holds %q", left)
			}
		},
		Holds: func(t testing.TB, items []conformance.Item) {
			want := map[string]string{"db/keyed": "", "db/empty": ""}
			for _, i := range items {
				want[i.Entry.Path] += strings.ReplaceAll(string(i.Content()), `\\`, `\`)
			}
			if got := tables(t); !slices.Equal(got, []string{"mdl_empty", "mdl_keyed", "mdl_keyed_id_seq"}) {
				t.Errorf("there are %q", got)
			}
			for entry, rows := range want {
				query := fmt.Sprintf(`SELECT coalesce(string_agg(id || E'\t' || x || E'\n', '' ORDER BY id), '') FROM mdl_%s`, strings.TrimPrefix(entry, "db/"))
				if got := column(t, db.SQL, query); got[0] != rows {
					t.Errorf("%s holds %q, not %q", entry, got[0], rows)
				}
			}
		},
	}
}

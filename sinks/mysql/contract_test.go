package mysql

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
	"github.com/lmsvault/vault/internal/isolated"
	"github.com/lmsvault/vault/plugins/conformance"
)

func TestContract(t *testing.T) {
	columns := []schema.Column{
		{Name: "id", Native: "bigint", Type: schema.Type{Kind: schema.Int, Size: 8}},
		{Name: "x", Native: "varchar(20)", Nullable: true, Type: schema.Type{Kind: schema.Char, Length: 20}},
	}
	keyed := schema.Table{
		Name: "keyed", Dialect: mysql.Dialect, Columns: columns, PrimaryKey: []string{"id"}, Sequence: &schema.Sequence{Column: "id", Next: 9},
		Indexes: []schema.Index{{Name: "x", Columns: []schema.IndexColumn{{Name: "x"}}}, {Name: "u", Unique: true, Columns: []schema.IndexColumn{{Name: "x"}, {Name: "id"}}}},
	}
	empty := schema.Table{Name: "empty", Dialect: mysql.Dialect, Columns: columns}
	unit := func(id, table string, chunks ...string) conformance.UnitItems {
		item := conformance.Item{Entry: stage.Entry{Path: "db/" + table, Kind: stage.Table}}
		for _, c := range chunks {
			item.Chunks = append(item.Chunks, stage.Chunk{Data: []byte(c), Rows: strings.Count(c, "\n")})
		}
		return conformance.UnitItems{Unit: stage.Unit{ID: id, Part: stage.DB, Table: table}, Items: []conformance.Item{item}}
	}
	for _, engine := range engines {
		for _, c := range []struct {
			load    string
			replace stage.Replace
		}{{loadLocal, stage.ReplaceNothing}, {loadInsert, stage.ReplaceSwap}, {loadLocal, stage.ReplaceInPlace}} {
			t.Run(fmt.Sprint(engine.name, " ", c.load, " ", c.replace), func(t *testing.T) {
				conformance.Sink(t, conformance.SinkFixture{
					Resumes: true, // an aborted run leaves nothing beside the site; in place it is replaced
					Place:   func(t testing.TB) conformance.Target { return place(t, engine.make, c.load) },
					Plan: &stage.Plan{Tables: []stage.TableInfo{{Schema: keyed}, {Schema: empty}}, Parts: []string{stage.DB}, Workers: 3, Replace: c.replace,
						Facts: map[string]string{"dialect": mysql.Dialect, "prefix": "old_"}},
					Units: []conformance.UnitItems{
						unit("keyed#1", "keyed", "1\tone\n2\t\n", "3\tthree\n"),
						unit("keyed#2", "keyed", "4\tfo'u\\\\r\n"),
						unit("empty", "empty"),
					},
				})
			})
		}
	}
}

func place(t testing.TB, make maker, load string) conformance.Target {
	db := make(t)
	st := isolated.Stage(t, Stage())
	return conformance.Target{
		Open: func() stage.Sink {
			s, err := st.NewSink(t.Context(), &Config{DSN: config.NewSecret(db.DSN), Prefix: "p_", Load: load}, stage.Env{Log: slog.Default(), Workers: 3})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Untouched: func(t testing.TB) {
			if left := siteTables(t, db, ""); len(left) > 0 {
				t.Errorf("the target holds %q", left)
			}
		},
		Holds: func(t testing.TB, items []conformance.Item) {
			want := map[string]string{"db/keyed": "", "db/empty": ""}
			for _, i := range items {
				want[i.Entry.Path] += strings.ReplaceAll(string(i.Content()), `\\`, `\`)
			}
			if got := siteTables(t, db, ""); !slices.Equal(got, []string{"p_empty", "p_keyed"}) {
				t.Errorf("there are the tables %q", got)
			}
			for entry, rows := range want {
				table := strings.TrimPrefix(entry, "db/")
				if got := one(t, db, fmt.Sprintf(`SELECT COALESCE(GROUP_CONCAT(CONCAT(id, '\t', x, '\n') ORDER BY id SEPARATOR ''), '') FROM p_%s`, table)); got != rows {
					t.Errorf("%s holds %q, not %q", entry, got, rows)
				}
			}
		},
	}
}

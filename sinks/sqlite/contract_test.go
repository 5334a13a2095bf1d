package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/isolated"
	"github.com/lmsvault/vault/plugins/conformance"
	sink "github.com/lmsvault/vault/sinks/sqlite"
)

func TestContract(t *testing.T) {
	columns := []schema.Column{column("id", schema.Int, 8), column("x", schema.Text, 0)}
	keyed := schema.Table{Name: "keyed", Columns: columns, PrimaryKey: []string{"id"}, Sequence: &schema.Sequence{Column: "id", Next: 9}}
	empty := schema.Table{Name: "empty", Columns: columns}
	unit := func(id, table string, chunks ...string) conformance.UnitItems {
		item := conformance.Item{Entry: stage.Entry{Path: "db/" + table, Kind: stage.Table}}
		for _, c := range chunks {
			item.Chunks = append(item.Chunks, stage.Chunk{Data: []byte(c), Rows: strings.Count(c, "\n")})
		}
		return conformance.UnitItems{Unit: stage.Unit{ID: id, Part: stage.DB, Table: table}, Items: []conformance.Item{item}}
	}
	conformance.Sink(t, conformance.SinkFixture{
		Place: place,
		Plan:  &stage.Plan{Tables: []stage.TableInfo{{Schema: keyed}, {Schema: empty}}, Parts: []string{stage.DB}, Workers: 3},
		Units: []conformance.UnitItems{
			unit("keyed#1", "keyed", "1\tone\n2\t\n", "3\tthree\n"),
			unit("keyed#2", "keyed", "4\tfour\n"),
			unit("empty", "empty"),
		},
		Resumes: true, // remains of an aborted run are removed or have the partial name
	})
}

func place(t testing.TB) conformance.Target {
	dir := t.TempDir()
	path := filepath.Join(dir, "site")
	st := isolated.Stage(t, sink.Stage())
	return conformance.Target{
		Open: func() stage.Sink {
			s, err := st.NewSink(t.Context(), &sink.Config{Path: path, Prefix: "p_"}, stage.Env{})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Untouched: func(t testing.TB) {
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("the target holds %v, %v", left, err)
			}
		},
		Holds: func(t testing.TB, items []conformance.Item) {
			want := map[string]string{"db/keyed": "", "db/empty": ""}
			for _, i := range items {
				want[i.Entry.Path] += string(i.Content())
			}
			db := openSQL(t, path)
			for entry, rows := range want {
				var got string
				query := fmt.Sprintf(`SELECT coalesce(group_concat(id || char(9) || x || char(10), '' ORDER BY id), '') FROM "p_%s"`, strings.TrimPrefix(entry, "db/"))
				if err := db.QueryRowContext(t.Context(), query).Scan(&got); err != nil || got != rows {
					t.Errorf("%s holds %q, not %q: %v", entry, got, rows, err)
				}
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		},
	}
}

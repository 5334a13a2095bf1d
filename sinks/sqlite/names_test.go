package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	sink "github.com/lmsvault/vault/sinks/sqlite"
)

// Tables that SQLite cannot create are refused by name before anything is written.
func TestTablesThatSQLiteCannotCreateAreRefused(t *testing.T) {
	dir := t.TempDir()
	text := column("t", schema.Text, 0)
	zero := column("a\x00b", schema.Text, 0)
	var many []schema.Column
	for i := range 2001 {
		many = append(many, column(fmt.Sprint("c", i), schema.Int, 8))
	}
	for _, c := range []struct {
		table schema.Table
		says  string
	}{
		{schema.Table{Name: "bare"}, `table mdl_bare has no columns`},
		{schema.Table{Name: "a\x00b", Columns: []schema.Column{text}}, `table "mdl_a\x00b"`},
		{schema.Table{Name: "zero", Columns: []schema.Column{zero}}, `table "mdl_zero"`},
		{schema.Table{Name: "wide", Columns: many}, `table "mdl_wide": SQLite cannot create it: SQL logic error: too many columns`},
		{schema.Table{Name: "odd", Dialect: "sqlite", Columns: []schema.Column{text}, Options: "STRICT; ATTACH 'x' AS y"}, `table "mdl_odd"`},
		{schema.Table{Name: "keyless", Dialect: "sqlite", Columns: []schema.Column{text}, Options: "WITHOUT ROWID"}, `PRIMARY KEY missing on table mdl_keyless`},
		{schema.Table{Name: "key", Columns: []schema.Column{text}, PrimaryKey: []string{"none"}}, `table "mdl_key"`},
	} {
		_, err := sink.New(sink.Config{Path: filepath.Join(dir, "x"), Prefix: "mdl_"}).Check(t.Context(), &stage.Plan{Tables: []stage.TableInfo{{Schema: c.table}}})
		if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.table.Name, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("the check left %v behind, %v", left, err)
	}
}

// Names that only look odd are accepted unchanged.
func TestOddNamesAreReadBack(t *testing.T) {
	from := &given{
		tables: []schema.Table{{Name: `or"der by';--`, Columns: []schema.Column{column(`sel"ect`, schema.Int, 8), column("", schema.Text, 0), column("rowid", schema.Text, 0), column("é 表/*", schema.Text, 0)}, PrimaryKey: []string{`sel"ect`}}},
		rows:   map[string]string{`or"der by';--`: "1\ta\tb\tc\n"},
	}
	run := carry(t, from, sink.New(sink.Config{Path: filepath.Join(t.TempDir(), "x")}))
	run.proved(t)
	is := run.proofs[`or"der by';--`].Schema
	if got, want := is.ColumnNames(), from.tables[0].ColumnNames(); !slices.Equal(got, want) {
		t.Errorf("columns %q, want %q", got, want)
	}
}

// An index that SQLite cannot create, because it needs a function or collation of the
// program that created the database, is reported as a loss beforehand and does not
// fail the restore at the end.
func TestIndexesThatSQLiteCannotCreateAreLosses(t *testing.T) {
	from := &given{tables: []schema.Table{{Name: "x", Dialect: "sqlite", Columns: []schema.Column{column("t", schema.Text, 0)}, Indexes: []schema.Index{
		{Name: "sorted", Native: "(t COLLATE german)"}, {Name: "computed", Native: "(soundslike(t))"}, {Name: "plain", Native: "(lower(t))"},
	}}}, rows: map[string]string{"x": "a\n"}}
	run := carry(t, from, sink.New(sink.Config{Path: filepath.Join(t.TempDir(), "x")}))
	run.proved(t)
	var lost []string
	for _, l := range run.losses {
		lost = append(lost, fmt.Sprintf("%s %s: %s", l.Kind, l.Where, l.Reason))
	}
	if got := strings.Join(lost, "; "); !strings.HasPrefix(got, "index index sorted: SQL logic error: no such collation sequence: german") ||
		!strings.Contains(got, "index index computed: its definition \"(soundslike(t))\" is not supported: function soundslike is not allowed") || len(lost) != 2 {
		t.Errorf("losses %s", got)
	}
	if is := run.proofs["x"].Schema.Indexes; len(is) != 1 || is[0].Name != "plain" {
		t.Errorf("indexes %+v", is)
	}
}

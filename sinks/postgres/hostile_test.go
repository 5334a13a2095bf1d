package postgres_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/servers"
	sink "github.com/lmsvault/vault/sinks/postgres"
	source "github.com/lmsvault/vault/sources/postgres"
)

// A forged snapshot executes nothing on the server: Check refuses or loses its text,
// and even without Check, Begin and Finish create only tables from it.
func TestForgedSnapshotExecutesNothing(t *testing.T) {
	db := servers.Postgres(t)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	execute(t, db.SQL, strings.Join([]string{`CREATE TABLE canary (sings int)`, `INSERT INTO canary VALUES (1)`, `CREATE FUNCTION evil() RETURNS int LANGUAGE sql AS 'DELETE FROM canary; SELECT 1'`,
		`CREATE DOMAIN trap AS int CHECK (evil() = 1)`}, ";\n"))
	touch := "; COPY (SELECT 1) TO PROGRAM 'touch " + filepath.Join(dir, "loot") + "'; DROP TABLE canary; --"
	text := schema.Column{Name: "c", Type: schema.Type{Kind: schema.Text}, Native: "text", Nullable: true}
	with := func(change func(x *schema.Table, c *schema.Column)) schema.Table {
		x := table("t", text)
		change(&x, &x.Columns[1])
		return x
	}
	expr := func(value string) schema.Table {
		return with(func(_ *schema.Table, c *schema.Column) { c.Default = &schema.Default{Value: value, Expr: true} })
	}
	spelled := func(value, native string) schema.Table {
		return with(func(_ *schema.Table, c *schema.Column) { c.Default = &schema.Default{Value: value, Native: native} })
	}
	export := `x\' CHECK (pg_catalog.lo_export(pg_catalog.lo_from_bytea(0, $$pwned$$), $$` + filepath.Join(dir, "loot") + `$$) = 1) -- `
	index := func(native string) schema.Table {
		return with(func(x *schema.Table, _ *schema.Column) { x.Indexes = []schema.Index{{Name: "i", Native: native}} })
	}
	for name, c := range map[string]struct {
		table schema.Table
		lost  stage.LossKind // "": refused; "nothing": it is quoted
	}{
		"type":             {with(func(_ *schema.Table, c *schema.Column) { c.Native = "text)" + touch }), ""},
		"type and default": {with(func(_ *schema.Table, c *schema.Column) { c.Native = "int DEFAULT evil()" }), ""},
		"domain":           {with(func(_ *schema.Table, c *schema.Column) { c.Native = "trap" }), ""},
		"collation":        {with(func(_ *schema.Table, c *schema.Column) { c.Collation = `"C")` + touch }), ""},
		"options":          {with(func(x *schema.Table, _ *schema.Column) { x.Options = "WITH (fillfactor='70')" + touch }), ""},
		"create as":        {with(func(x *schema.Table, _ *schema.Column) { x.Options = "AS SELECT 1, pg_read_file('/etc/passwd')" }), ""},
		"NUL in a name":    {with(func(_ *schema.Table, c *schema.Column) { c.Name = "a\x00b" }), ""},
		"not UTF-8":        {with(func(_ *schema.Table, c *schema.Column) { c.Name = "a\xffb" }), ""},
		"default":          {expr("1" + touch), stage.LossDefault},
		"function":         {expr("evil()"), stage.LossDefault},
		"file":             {expr("pg_read_file('/etc/passwd')"), stage.LossDefault},
		"query":            {expr("(SELECT passwd FROM pg_shadow LIMIT 1)"), stage.LossDefault},
		"index":            {index("USING btree (c)" + touch), stage.LossIndex},
		"index function":   {index("USING btree (evil())"), stage.LossIndex},
		"index condition":  {index("USING btree (c) WHERE evil() = 1"), stage.LossIndex},
		"index method": {with(func(x *schema.Table, _ *schema.Column) {
			x.Indexes = []schema.Index{{Name: "i", Method: "btree (c)" + touch, Columns: []schema.IndexColumn{{Name: "c"}}}}
		}), stage.LossIndex},
		"index options": {with(func(x *schema.Table, _ *schema.Column) {
			x.Indexes = []schema.Index{{Name: "i", Options: "WHERE evil() = 1", Columns: []schema.IndexColumn{{Name: "c"}}}}
		}), stage.LossIndex},
		"constraint": {with(func(x *schema.Table, _ *schema.Column) {
			x.Indexes = []schema.Index{{Name: "i", Unique: true, Constraint: "UNIQUE" + touch, Columns: []schema.IndexColumn{{Name: "c"}}}}
		}), stage.LossIndex},
		"constraint with another index": {with(func(x *schema.Table, _ *schema.Column) {
			x.Indexes = []schema.Index{{Name: "i", Constraint: "UNIQUE", Columns: []schema.IndexColumn{{Name: "c"}}}}
		}), stage.LossIndex},
		"spelled default":      {spelled(export, "'"+export+"'"), "nothing"},
		"spelled without end":  {spelled("foo", "'foo"), "nothing"},
		"spelled with a key":   {spelled("a", "'a'::text PRIMARY KEY"), "nothing"},
		"spelled with a table": {spelled("1", "1::int4 REFERENCES canary"), "nothing"},
		"spelled expression": {with(func(_ *schema.Table, c *schema.Column) {
			c.Default = &schema.Default{Value: "CURRENT_TIMESTAMP", Expr: true, Native: "now()" + touch}
		}), "nothing"},
		"index comment": {with(func(x *schema.Table, _ *schema.Column) {
			x.Indexes = []schema.Index{{Name: "i", Comment: `\'` + touch, Columns: []schema.IndexColumn{{Name: "c"}}}}
		}), "nothing"},
		"name of the key": {with(func(x *schema.Table, _ *schema.Column) { x.PrimaryKey, x.PrimaryKeyName = []string{"id"}, `"`+touch }), "nothing"},
		"timing of the key": {with(func(x *schema.Table, _ *schema.Column) {
			x.PrimaryKey, x.PrimaryKeyIndex = []string{"id"}, &schema.KeyIndex{Timing: "DEFERRABLE; " + touch}
		}), ""},
		"options of the key": {with(func(x *schema.Table, _ *schema.Column) {
			x.PrimaryKey, x.PrimaryKeyIndex = []string{"id"}, &schema.KeyIndex{Options: "WHERE evil() = 1"}
		}), ""},
		"column of the key": {with(func(x *schema.Table, _ *schema.Column) {
			x.PrimaryKey, x.PrimaryKeyIndex = []string{"id"}, &schema.KeyIndex{Include: []string{`c")` + touch}}
		}), ""},
		"comment of the key": {with(func(x *schema.Table, _ *schema.Column) {
			x.PrimaryKey, x.PrimaryKeyIndex = []string{"id"}, &schema.KeyIndex{Include: []string{"c"}, Comment: `\'` + touch}
		}), "nothing"},
		"sequence":      {with(func(x *schema.Table, _ *schema.Column) { x.Sequence = &schema.Sequence{Column: `"` + touch, Next: 1} }), ""},
		"plain default": {with(func(_ *schema.Table, c *schema.Column) { c.Default = &schema.Default{Value: "'" + touch} }), "nothing"},
		"comments":      {with(func(x *schema.Table, c *schema.Column) { x.Comment, c.Comment = "'"+touch, `\'`+touch }), "nothing"},
		"column":        {with(func(_ *schema.Table, c *schema.Column) { c.Name = "\"\n\u2028'; DROP TABLE canary; --" }), "nothing"},
		"table":         {with(func(x *schema.Table, _ *schema.Column) { x.Name = `"; DROP TABLE canary; --` }), "nothing"},
		"index name": {with(func(x *schema.Table, _ *schema.Column) {
			x.Indexes = []schema.Index{{Name: `"; DROP TABLE canary; --`, Columns: []schema.IndexColumn{{Name: "c"}}}}
		}), "nothing"},
		"enumeration": {with(func(_ *schema.Table, c *schema.Column) {
			c.Native, c.Type = `"'; DROP TABLE canary; --"`, schema.Type{Kind: schema.Enum, Values: []string{"'; DROP TABLE canary; --", `\'`}}
		}), "nothing"},
		"number that is not": {with(func(x *schema.Table, c *schema.Column) {
			c.Native, c.Type, c.Default = "bigint", schema.Type{Kind: schema.Int, Size: 8}, &schema.Default{Value: "1::int4 REFERENCES canary"}
		}), "broken"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSink(t, sink.Config{Connection: where(db.DSN)})
			p := replacing(stage.ReplaceInPlace, c.table)
			p.Facts["dialect"] = "postgres"
			found, err := s.Check(t.Context(), p)
			losses := found.Losses
			switch {
			case c.lost == "" && failure.Of(err) != failure.Refused, c.lost != "" && err != nil:
				t.Errorf("Check returned %v", err)
			case c.lost == stage.LossDefault || c.lost == stage.LossIndex:
				if len(losses) != 1 || losses[0].Kind != c.lost {
					t.Errorf("losses %+v", losses)
				}
			case len(losses) > 0:
				t.Errorf("losses %+v", losses)
			}
			err = s.Begin(t.Context(), p)
			if err == nil {
				err = s.Finish(t.Context(), &stage.Outcome{})
			}
			if c.lost != "" && c.lost != "broken" && err != nil || c.lost == "broken" && err == nil {
				t.Errorf("the restore ended with %v", err)
			}
			if err := errors.Join(s.Abort(t.Context())); err != nil {
				t.Error(err)
			}
			if got := column(t, db.SQL, `SELECT sings::text FROM canary`); !slices.Equal(got, []string{"1"}) {
				t.Fatalf("the canary contains %q", got)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Fatalf("left behind: %v, %v", left, err)
			}
			if got := column(t, db.SQL, `SELECT conname::text FROM pg_constraint WHERE contype IN ('c', 'f') AND contypid = 0 AND connamespace = 'public'::regnamespace`); len(got) > 0 {
				t.Errorf("constraints that would execute: %q", got)
			}
			for _, name := range column(t, db.SQL, `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`) {
				if name != "canary" && !strings.HasPrefix(name, "mdl_") {
					t.Errorf("unexpected %s", name)
				}
			}
		})
	}
}

// A hostile or merely odd database is read and restored: what cannot be transferred
// is a loss, and everything else arrives under its name.
func TestHostileDatabaseIsRestoredOrLost(t *testing.T) {
	from, to := servers.Postgres(t), servers.Postgres(t)
	execute(t, from.SQL, strings.Join([]string{
		`CREATE FUNCTION evil(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1'`,
		`CREATE TYPE "mdl_'; DROP TABLE canary; --" AS ENUM ('''; DROP TABLE canary; --', '\', 'a')`,
		`CREATE TABLE "mdl_""; DROP TABLE canary; --" (id int PRIMARY KEY, "a'b;--" text DEFAULT '''; DROP TABLE canary; --' COLLATE "C", "e" "mdl_'; DROP TABLE canary; --" DEFAULT 'a', f text DEFAULT evil('x'), "U&""\0027" text, u text DEFAULT upper('x')) WITH (fillfactor = 70)`,
		`COMMENT ON TABLE "mdl_""; DROP TABLE canary; --" IS '''; DROP TABLE canary; --'`,
		`CREATE INDEX "mdl_i""; --" ON "mdl_""; DROP TABLE canary; --" ("a'b;--" DESC)`,
		`CREATE INDEX mdl_evil ON "mdl_""; DROP TABLE canary; --" (evil(u))`,
		`CREATE INDEX mdl_part ON "mdl_""; DROP TABLE canary; --" (lower("a'b;--")) WHERE "a'b;--" <> '''; DROP TABLE canary; --'`,
		`INSERT INTO "mdl_""; DROP TABLE canary; --" VALUES (1, '''; DROP TABLE canary; --', '\', '\')`}, ";\n"))
	execute(t, to.SQL, `CREATE TABLE canary (sings int)`)
	got := carry(t, newSource(t, source.Config{Connection: where(from.DSN)}), newSink(t, sink.Config{Connection: where(to.DSN)}))
	var lost []string
	for _, l := range got.inventory.Losses {
		lost = append(lost, string(l.Kind)+" "+l.Where)
	}
	slices.Sort(lost)
	if want := []string{"default column f", "index index mdl_evil", "routine evil(text)"}; !slices.Equal(slices.DeleteFunc(lost, func(s string) bool { return strings.HasPrefix(s, "routine") }), want[:2]) {
		t.Errorf("lost %q, want %q", lost, want)
	}
	column(t, to.SQL, `SELECT sings::text FROM canary`)
	if got := column(t, to.SQL, `SELECT indexname FROM pg_indexes WHERE tablename = 'mdl_"; DROP TABLE canary; --' ORDER BY indexname COLLATE "C"`); len(got) != 3 {
		t.Errorf("indexes %q", got)
	}
}

package sqlite_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	sink "github.com/lmsvault/vault/sinks/sqlite"
	source "github.com/lmsvault/vault/sources/sqlite"
)

// alone fails if a directory contains anything but the named files.
func alone(t *testing.T, dir string, names ...string) {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range found {
		got = append(got, f.Name())
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		t.Errorf("the directory has %q, want %q", got, names)
	}
}

// A forged snapshot creates no file but the target, in the check and in the restore:
// its text is refused, lost or quoted.
func TestForgedSnapshotExecutesNothing(t *testing.T) {
	text := column("c", schema.Text, 0)
	text.Nullable = true
	for name, c := range map[string]struct {
		change func(x *schema.Table, c *schema.Column, attach string)
		lost   stage.LossKind // "": refused; "nothing": it is quoted
	}{
		"type":          {func(_ *schema.Table, c *schema.Column, attach string) { c.Native = "INT)" + attach }, "nothing"},
		"constraint":    {func(_ *schema.Table, c *schema.Column, _ string) { c.Native = "INT DEFAULT (load_extension('x'))" }, "nothing"},
		"options":       {func(x *schema.Table, _ *schema.Column, attach string) { x.Options = "STRICT" + attach }, ""},
		"create as":     {func(x *schema.Table, _ *schema.Column, _ string) { x.Options = "AS SELECT 1" }, ""},
		"NUL in a name": {func(_ *schema.Table, c *schema.Column, _ string) { c.Name = "a\x00b" }, ""},
		"not UTF-8":     {func(x *schema.Table, _ *schema.Column, _ string) { x.Name = "a\xffb" }, ""},
		"default": {func(_ *schema.Table, c *schema.Column, attach string) {
			c.Default = &schema.Default{Value: "1)" + attach, Expr: true}
		}, stage.LossDefault},
		"function": {func(_ *schema.Table, c *schema.Column, _ string) {
			c.Default = &schema.Default{Value: "load_extension('x')", Expr: true}
		}, stage.LossDefault},
		"index": {func(x *schema.Table, _ *schema.Column, attach string) {
			x.Indexes = []schema.Index{{Name: "i", Native: "(c)" + attach}}
		}, stage.LossIndex},
		"index function": {func(x *schema.Table, _ *schema.Column, _ string) {
			x.Indexes = []schema.Index{{Name: "i", Native: "(writefile('x', c))"}}
		}, stage.LossIndex},
		"plain default": {func(_ *schema.Table, c *schema.Column, attach string) {
			c.Default = &schema.Default{Value: "'" + attach}
		}, "nothing"},
		"spelled default": {func(_ *schema.Table, c *schema.Column, attach string) {
			c.Default = &schema.Default{Value: "a", Native: "'a')" + attach}
		}, "nothing"},
		"spelled without end": {func(_ *schema.Table, c *schema.Column, _ string) {
			c.Name, c.Default = "', evil TEXT CHECK (length(zeroblob(10)) = 10) -- ", &schema.Default{Value: "a", Native: "'a"}
		}, "nothing"},
		"spelled name without end": {func(_ *schema.Table, c *schema.Column, _ string) {
			c.Name, c.Default = "], evil TEXT -- ", &schema.Default{Value: "a", Native: "[a"}
		}, "nothing"},
		"spelled with a key": {func(_ *schema.Table, c *schema.Column, _ string) {
			c.Default = &schema.Default{Value: "a", Native: "'a' PRIMARY KEY"}
		}, "nothing"},
		"index comment": {func(x *schema.Table, _ *schema.Column, attach string) {
			x.Indexes = []schema.Index{{Name: "i", Comment: "*/" + attach, Options: attach, Columns: []schema.IndexColumn{{Name: "c"}}}}
			x.PrimaryKeyName, x.Comment = attach, attach
		}, "nothing"},
		"values": {func(_ *schema.Table, c *schema.Column, attach string) {
			c.Native, c.Type = "", schema.Type{Kind: schema.Enum, Values: []string{"*/" + attach, "'" + attach}}
		}, "nothing"},
		"names": {func(x *schema.Table, c *schema.Column, attach string) {
			x.Name, c.Name, x.Indexes = `"`+attach, "`]\"\n\u2028"+attach, []schema.Index{{Name: `"` + attach, Columns: []schema.IndexColumn{{Name: "`]\"\n\u2028" + attach}}}}
		}, "nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			table := schema.Table{Name: "t", Dialect: "sqlite", Columns: []schema.Column{text}}
			c.change(&table, &table.Columns[0], "; ATTACH DATABASE '"+dir+"/x.php' AS e; CREATE TABLE e.t (c); --")
			if c.lost == "" {
				_, err := sink.New(sink.Config{Path: filepath.Join(dir, "db")}).Check(t.Context(), &stage.Plan{Tables: []stage.TableInfo{{Schema: table}}})
				if failure.Of(err) != failure.Refused {
					t.Errorf("Check returned %v", err)
				}
				if err := sink.New(sink.Config{Path: filepath.Join(dir, "db")}).Begin(t.Context(), &stage.Plan{Tables: []stage.TableInfo{{Schema: table}}}); err == nil {
					t.Error("Begin accepts it")
				}
				alone(t, dir, "db.vault-partial")
				return
			}
			run := carry(t, &given{tables: []schema.Table{table}, rows: map[string]string{table.Name: "\\N\n"}}, sink.New(sink.Config{Path: filepath.Join(dir, "db")}))
			alone(t, dir, "db")
			if c.lost == "nothing" && len(run.losses) > 0 || c.lost != "nothing" && (len(run.losses) != 1 || run.losses[0].Kind != c.lost) {
				t.Errorf("losses %+v", run.losses)
			}
			if got := run.proofs[table.Name].Schema; len(got.Columns) != 1 || got.Columns[0].Name != table.Columns[0].Name || table.Columns[0].Native != "" && got.Columns[0].Native != table.Columns[0].Native {
				t.Errorf("it is read back as %+v", got)
			}
		})
	}
}

// A hostile database is planned, backed up and restored without creating a file: its
// declared types are types again, and what SQLite would have to execute is lost.
func TestHostileDatabaseExecutesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "site")
	db := openSQL(t, path)
	evil := "INT); ATTACH DATABASE '" + dir + "/x.php' AS e; CREATE TABLE e.t(c TEXT DEFAULT '<?php'); --"
	for _, sql := range []string{
		`CREATE TABLE mdl_t (id INTEGER PRIMARY KEY, a "` + evil + `", b TEXT DEFAULT (printf('%1000000d', 1)), c TEXT COLLATE NOCASE DEFAULT '"; DROP', "d""]` + "`" + `; --" TEXT)`,
		`CREATE INDEX plain ON mdl_t (lower(c))`, `CREATE INDEX odd ON mdl_t (printf('%d', c))`, `CREATE INDEX "x""; --" ON mdl_t (c DESC)`,
		`CREATE TRIGGER evil AFTER INSERT ON mdl_t BEGIN DELETE FROM mdl_t; END`, `CREATE VIEW mdl_v AS SELECT load_extension('x')`,
		`CREATE TABLE "mdl_u` + "\xff" + `" (a)`, `CREATE TABLE mdl_w (a, "b` + "\xff" + `")`,
	} {
		if _, err := db.ExecContext(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	run := carry(t, source.New(source.Config{Path: path, Prefix: "mdl_"}), sink.New(sink.Config{Path: filepath.Join(dir, "new"), Prefix: "mdl_"}))
	alone(t, dir, "new", "site")
	var lost []string
	for _, l := range run.inv.Losses {
		lost = append(lost, string(l.Kind)+" "+l.Path+" "+l.Where)
	}
	slices.Sort(lost)
	if want := []string{`column db/w column "b\xff"`, "default db/t column b", "index db/t index odd", "table db/u� ", "trigger db/t trigger evil", "view db/v "}; !slices.Equal(lost, want) {
		t.Errorf("lost %q, want %q", lost, want)
	}
	if got := run.proofs["t"].Schema; got.Column("a").Native != evil || len(got.Indexes) != 2 || got.Column("c").Collation != "NOCASE" {
		t.Errorf("it comes back as %+v", got)
	}
}

package sqlite

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/internal/sqlshape"
)

// one returns a table in which every text that ends up in SQL is set.
func one(name, column, native, value, options, collation, indexText, comment string, expr bool) schema.Table {
	t := schema.Table{Name: name, Dialect: Dialect, Options: options, Comment: comment, PrimaryKey: []string{column}}
	t.Columns = []schema.Column{
		{Name: column, Type: schema.Type{Kind: schema.Text}, Native: native, Collation: collation, Comment: comment, Default: &schema.Default{Value: value, Expr: expr}},
		{Name: "n", Type: schema.Type{Kind: schema.Float, Size: 8}, Default: &schema.Default{Value: value}},
		{Name: "e", Type: schema.Type{Kind: schema.Enum, Values: []string{value, comment}}, Default: &schema.Default{Value: value}},
	}
	t.Indexes = []schema.Index{{Name: name, Native: indexText}, {Name: name, Columns: []schema.IndexColumn{{Name: column}}}}
	return t
}

// spelled adds columns whose defaults have this spelling and the value that it would
// have: what a forger must write for it to be accepted.
func spelled(t schema.Table, spelling string) schema.Table {
	for i, of := range []schema.Type{{Kind: schema.Text}, {Kind: schema.Int, Size: 8}, {Kind: schema.Decimal, Length: 10, Scale: 5}, {Kind: schema.Binary}, {Kind: schema.Other}} {
		d := meaning(spelling, false, &of)
		if d == nil {
			d = &schema.Default{Value: spelling}
		}
		d.Native = spelling
		t.Columns = append(t.Columns, schema.Column{Name: strings.Repeat("'\"]*/", i) + ", evil TEXT -- ", Type: of, Nullable: true, Default: d})
	}
	for i := range t.Indexes {
		t.Indexes[i].Comment, t.Indexes[i].Options = spelling, spelling
	}
	t.PrimaryKeyName, t.Comment = spelling, spelling
	return t
}

// judge writes a table, if it is allowed, and runs it on an unrestricted connection:
// it may create a table and two indexes and nothing else.
func judge(t *testing.T, table schema.Table) {
	t.Helper()
	var statements []string
	create, err := CreateTable(&table, "mdl_t")
	if err != nil {
		return
	}
	statements = append(statements, create)
	for i, x := range table.Indexes {
		if create, err := CreateIndex(&table, "mdl_t", &x, []string{"first", "second"}[i]); err == nil {
			statements = append(statements, create)
		}
	}
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE canary (sings); INSERT INTO canary VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	for _, text := range statements {
		if _, err := sqlshape.SQLite.One(text, "CREATE "); err != nil {
			t.Errorf("%v in %s", err, text)
		}
		if err := oneStatement(text); err != nil {
			t.Errorf("%v in %s", err, text)
		}
		// The sink reports statements that SQLite rejects as a whole.
		if _, err := db.ExecContext(t.Context(), text); err != nil && strings.Contains(err.Error(), "syntax error") {
			t.Logf("%v in %s", err, text)
		}
	}
	var objects string
	if err := db.QueryRowContext(t.Context(), `SELECT group_concat(name, ' ') || ' in ' || (SELECT group_concat(name) FROM pragma_database_list) || ' sings ' || (SELECT max(sings) FROM canary)
		FROM (SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name)`).Scan(&objects); err != nil {
		t.Fatal(err)
	}
	names, rest, _ := strings.Cut(objects, " in ")
	for name := range strings.FieldsSeq(names) {
		if !slices.Contains([]string{"canary", "mdl_t", "first", "second"}, name) {
			t.Errorf("there is %s after %q", name, statements)
		}
	}
	if rest != "main sings 1" {
		t.Errorf("%s after %q", rest, statements)
	}
}

// hostile lists texts that end their clause and continue with something else.
var hostile = []string{
	"INT); ATTACH DATABASE '/tmp/x.php' AS e; CREATE TABLE e.t(c TEXT DEFAULT '<?php'); --", "INT, evil INT", "INT PRIMARY KEY", "INT DEFAULT (load_extension('x'))", "INT REFERENCES canary", "INT AS (1)", "INT) AS SELECT 1",
	"INT /* x */", "INT -- x", "0); DROP TABLE canary; --", "0; DROP TABLE canary", "0'; DROP TABLE canary; --", `0"; DROP TABLE canary; --`, "load_extension('x')", "(SELECT 1)", "fts3_tokenizer('x')", "writefile('/tmp/x', 'y')",
	"zeroblob(1000000000)", "printf('%1000000000d', 1)", "'a\\'; DROP TABLE canary; --'", "STRICT; DROP TABLE canary", "STRICT AS SELECT 1", "WITHOUT ROWID; ATTACH 'x' AS y", "NOCASE; DROP TABLE canary", "NOCASE NOT NULL",
	"(c); DROP TABLE canary", "(c) WHERE (SELECT 1)", "(load_extension('x'))", "((SELECT 1))", "(c COLLATE \"x; y\"", "\"; DROP TABLE canary; --", "*/ ; DROP TABLE canary; /*", "]; DROP TABLE canary; --", "`; DROP TABLE canary; --",
	"a\x00b", "a\nb", "a\u2028b", "a\xffb", strings.Repeat("é", 5000), `\`, `'`, `"`, "`", "[", "]", "''", `""`, strings.Repeat("(", 500), "?1", ":x", "@x", "$x", "#x",
}

func FuzzDDL(f *testing.F) {
	f.Add("t", "c", "BIGINT UNSIGNED(20)", "5", "STRICT", "NOCASE", "(lower(c) DESC) WHERE n > 0", "note", "'a'", false)
	f.Add("t", "c", "VARCHAR(10)", "lower('X')", "WITHOUT ROWID", "", "(c COLLATE NOCASE)", "it's", "x'00'", true)
	for _, evil := range hostile {
		for _, spelling := range []string{"'" + evil, "[" + evil, "1 " + evil} {
			f.Add("t", "c", "TEXT", "a", "", "", "(c)", "", spelling, false)
		}
		f.Add("t", "c", evil, evil, "", evil, "(c)", evil, "x'00'", true)
		f.Add("t", "c", "TEXT", evil, evil, "", "("+evil+")", "", "'a'", false)
		f.Add(evil, evil, "TEXT", evil, "", "", evil, "", "'a'", false)
		f.Add("t", "c", "TEXT", evil, "", "", "(c) WHERE "+evil, evil, "x'00'", true)
	}
	f.Fuzz(func(t *testing.T, name, column, native, value, options, collation, indexText, comment, spelling string, expr bool) {
		judge(t, spelled(one(name, column, native, value, options, collation, indexText, comment, expr), spelling))
	})
}

// A type declared by people is read back unchanged, whatever it is.
func TestEveryDeclaredTypeIsReadBack(t *testing.T) {
	c := create(t)
	for i, native := range append([]string{"INTEGER", "BIGINT UNSIGNED(20)", "DECIMAL(10,2)", "DOUBLE PRECISION", "native character (70)", "my own type", "VARCHAR(10) x"}, hostile...) {
		table := schema.Table{Name: "t", Dialect: Dialect, Columns: []schema.Column{{Name: "c", Type: ParseType(native), Native: native}}}
		name := fmt.Sprint("t", i)
		sql, err := CreateTable(&table, name)
		if strings.Contains(native, "\x00") || !utf8.ValidString(native) {
			if err == nil {
				t.Errorf("%q is written", native)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", native, err)
			continue
		}
		run(t, c, sql)
		got, err := c.Query(t.Context(), "SELECT name, type FROM pragma_table_xinfo(?)", name)
		if err != nil || len(got) != 1 || textOf(got[0][0]) != "c" || textOf(got[0][1]) != native {
			t.Errorf("%q comes back as %q, %v", native, got, err)
		}
	}
}

func TestPlainDefaultsAndIndexesAreAllowed(t *testing.T) {
	for _, text := range []string{"lower('X')", "CURRENT_DATE", "strftime('%s','now')", "(lower(hex(randomblob(16))))", "datetime('now', 'localtime')", "1 + 1", "-(1)", "abs(-5)", "CAST('1' AS INTEGER)", "x'00' || 'a'", "json_object('a', 1)"} {
		if err := refuseExpression(text); err != nil {
			t.Errorf("default %s: %v", text, err)
		}
	}
	table := one("t", "c", "TEXT", "", "", "", "", "", false)
	for _, text := range []string{"(c)", "(c DESC, n)", "(c COLLATE NOCASE DESC)", "(lower(c)) WHERE n IS NOT NULL AND c <> 'x'", `("c", [n], ` + "`e`)", "(c || n)", "(substr(c, 1, 3)) WHERE c LIKE 'a%' OR n IN (1, 2)", "(json_extract(c, '$.a'))", "(c->>'$.a')"} {
		if err := refuseIndexText(&table, text); err != nil {
			t.Errorf("index %s: %v", text, err)
		}
	}
	for _, evil := range hostile {
		if refuseExpression(evil) == nil && evil != "''" && evil != `""` {
			t.Errorf("default %.60q passes", evil)
		}
		if refuseIndexText(&table, evil) == nil {
			t.Errorf("index %.60q passes", evil)
		}
	}
}

// Only a spelling that SQLite parses as a single constant is written.
func TestSpellingsOfDefaultsAreChecked(t *testing.T) {
	text, number := schema.Type{Kind: schema.Text}, schema.Type{Kind: schema.Int, Size: 8}
	for native, value := range map[string]string{`"foo"`: "foo", "foo": "foo", "[foo]": "foo", "`foo`": "foo", `""`: "", "'it''s'": "it's"} {
		if got, err := defaultSQL(&schema.Default{Value: value, Native: native}, &text, Dialect); got != native || err != nil {
			t.Errorf("%s became %s, %v", native, got, err)
		}
	}
	for _, native := range []string{"'1'", "+1", "01"} {
		if got, err := defaultSQL(&schema.Default{Value: "1", Native: native}, &number, Dialect); got != native || err != nil {
			t.Errorf("%s became %s, %v", native, got, err)
		}
	}
	for _, native := range []string{"'foo", `"foo`, "`foo", "[foo", "'foo' PRIMARY KEY", "'foo'--", "foo--", "'foo'/*"} {
		if got, err := defaultSQL(&schema.Default{Value: "foo", Native: native}, &text, Dialect); got != "'foo'" || err != nil {
			t.Errorf("%s became %s, %v", native, got, err)
		}
	}
}

// A connection runs one statement at a time, and reaches no other file and no code.
func TestConnectionIsConfined(t *testing.T) {
	c := create(t)
	run(t, c, "CREATE TABLE t (a)")
	for _, sql := range []string{
		"ATTACH DATABASE '" + t.TempDir() + "/x' AS e", "DETACH DATABASE main", "SELECT load_extension('x')", "CREATE VIEW v AS SELECT 1", "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END",
		"CREATE VIRTUAL TABLE v USING fts5(a)", "DROP TABLE t", "DELETE FROM t", "ALTER TABLE t RENAME TO u", "PRAGMA writable_schema = 1", "PRAGMA trusted_schema = 1", "PRAGMA temp_store_directory = '/tmp'",
		"SELECT 1; SELECT 2", "SELECT 1;", "SELECT 'a\x00b'", "VACUUM INTO '" + t.TempDir() + "/y'",
	} {
		if err := c.Exec(t.Context(), sql); err == nil {
			t.Errorf("it runs %s", sql)
		}
	}
}

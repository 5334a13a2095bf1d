package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	source "github.com/lmsvault/vault/sources/sqlite"
	_ "modernc.org/sqlite"
)

// recorder records the rows and losses of units.
type recorder struct {
	data    []byte
	losses  []stage.Loss
	between func() error // runs at the first chunk
}

func (*recorder) Open(context.Context, stage.Entry) error   { return nil }
func (*recorder) Close(context.Context, stage.Digest) error { return nil }
func (*recorder) Same(context.Context, stage.Entry) error   { return nil }
func (*recorder) Drop(context.Context) error                { return nil }
func (r *recorder) Loss(_ context.Context, l stage.Loss) error {
	r.losses = append(r.losses, l)
	return nil
}
func (r *recorder) Write(_ context.Context, c stage.Chunk) error {
	r.data = append(r.data, c.Data...)
	if r.between != nil {
		between := r.between
		r.between = nil
		return between()
	}
	return nil
}

// database creates a database with SQL.
func database(t *testing.T, statements ...string) (path string, db *sql.DB) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "hand made.sqlite")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	execute(t, db, statements...)
	return path, db
}

func execute(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func plan(t *testing.T, path, prefix string) (*source.Source, *stage.Inventory) {
	t.Helper()
	s := source.New(source.Config{Path: path, Prefix: prefix})
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	inv, err := s.Plan(t.Context(), stage.PlanRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return s, inv
}

func read(t *testing.T, s *source.Source, inv *stage.Inventory, table string) (string, []stage.Loss) {
	t.Helper()
	var r recorder
	for _, u := range inv.Units {
		if u.Table == table {
			if err := s.ReadRows(t.Context(), stage.ReadRequest{Unit: u}, &r); err != nil {
				t.Fatal(err)
			}
		}
	}
	return string(r.data), r.losses
}

func table(t *testing.T, inv *stage.Inventory, name string) schema.Table {
	t.Helper()
	for _, info := range inv.Tables {
		if info.Schema.Name == name {
			return info.Schema
		}
	}
	t.Fatalf("no table %s", name)
	return schema.Table{}
}

func TestColumnsOfHandMadeTablesAreWidened(t *testing.T) {
	path, _ := database(t,
		`CREATE TABLE mdl_t (id INTEGER PRIMARY KEY, a, i INTEGER, small TINYINT, n NUMERIC(10,2), d DATETIME, v VARCHAR(3), f FLOAT, b BOOLEAN, x BLOB, m INTEGER DEFAULT 5)`,
		`INSERT INTO mdl_t VALUES (1, 1, 1, 1, 1.5, '2024-01-02 03:04:05', 'abc', 0.5, 1, x'00ff', 1)`,
		`INSERT INTO mdl_t VALUES (2, 'text', 'no number', 300, 2, 20240102, 'longer', 0.1, 0, 'text', 2)`,
		`INSERT INTO mdl_t VALUES (3, 2.5, 2, NULL, NULL, NULL, NULL, NULL, NULL, x'', x'01')`,
	)
	s, inv := plan(t, path, "mdl_")
	got, losses := read(t, s, inv, "t")
	want := "1\t1\t1\t1\t1.50\t2024-01-02 03:04:05\tabc\t0.5\tt\t\\\\x00ff\t\\\\x31\n" +
		"2\ttext\tno number\t300\t2.00\t20240102\tlonger\t0.1\tf\t\\\\x74657874\t\\\\x32\n" +
		"3\t2.5\t2\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\\\x\t\\\\x01\n"
	if got != want || len(losses) > 0 {
		t.Errorf("got\n%s\nwant\n%s\nlosses %v", got, want, losses)
	}
	var kinds []string
	for _, c := range table(t, inv, "t").Columns {
		kinds = append(kinds, fmt.Sprintf("%s:%s%d", c.Name, c.Type.Kind, c.Type.Size))
	}
	if got := strings.Join(kinds, " "); got != "id:int8 a:text0 i:text0 small:int8 n:decimal0 d:text0 v:text0 f:float4 b:bool0 x:binary0 m:binary0" {
		t.Errorf("types %s", got)
	}
	hand := table(t, inv, "t")
	if d := hand.Column("m").Default; d == nil || d.Value != `\x35` {
		t.Errorf("the default of a widened column is %+v", d)
	}
	for _, column := range []string{"a", "i", "small", "d", "v", "x", "m"} {
		if !slices.ContainsFunc(inv.Notes, func(n stage.Note) bool {
			return strings.HasPrefix(n.Text, "column "+column+" has values that do not fit")
		}) {
			t.Errorf("the plan does not note that %s was widened: %v", column, inv.Notes)
		}
	}
	if len(inv.Notes) != 7 {
		t.Errorf("notes %v", inv.Notes)
	}
}

// Values of a column without a type become text, which is noted if they were
// something else: 1 and '1' are no longer distinct.
func TestConversionToTextIsNoted(t *testing.T) {
	path, _ := database(t, `CREATE TABLE t (a, b, c TEXT)`, `INSERT INTO t VALUES (1, 'x', 1), ('1', NULL, 2)`)
	_, inv := plan(t, path, "")
	if len(inv.Notes) != 1 || inv.Notes[0].Path != "db/t" || inv.Notes[0].Text != "column a has values that do not fit its declared type; it is transferred as TEXT" {
		t.Errorf("notes %v", inv.Notes)
	}
}

func TestStructureOfHandMadeTables(t *testing.T) {
	path, _ := database(t,
		`CREATE TABLE mdl_auto (id INTEGER PRIMARY KEY AUTOINCREMENT, t TEXT NOT NULL DEFAULT 'it''s', n INT DEFAULT -1, r REAL DEFAULT 1e3, e TEXT DEFAULT (lower('X')), ts TEXT DEFAULT CURRENT_TIMESTAMP, nn TEXT DEFAULT NULL, h BLOB DEFAULT x'0aff')`,
		`INSERT INTO mdl_auto (id) VALUES (41)`, `DELETE FROM mdl_auto`,
		`CREATE TABLE mdl_plain (ID integer primary key, u TEXT UNIQUE COLLATE NOCASE, v TEXT, g INT AS (1) STORED, CHECK (v <> 'x'), FOREIGN KEY (v) REFERENCES mdl_auto (t))`,
		`INSERT INTO mdl_plain (ID, u) VALUES (7, 'a')`,
		`CREATE TABLE mdl_rowless (a TEXT, b INT, c INT, PRIMARY KEY (b, a)) WITHOUT ROWID`,
		`CREATE TABLE mdl_strict (a INT, b ANY) STRICT`,
		`CREATE TABLE mdl_desc (id INTEGER PRIMARY KEY DESC, x INT)`,
		`CREATE INDEX two ON mdl_plain (v DESC, ID)`, `CREATE UNIQUE INDEX part ON mdl_plain (v) WHERE v IS NOT NULL`, `CREATE INDEX expr ON mdl_plain (lower(v))`,
		`CREATE VIEW mdl_view AS SELECT 1`, `CREATE VIRTUAL TABLE mdl_search USING fts5(body)`,
		`CREATE TRIGGER mdl_trigger AFTER INSERT ON mdl_plain BEGIN SELECT 1; END`,
		`CREATE TABLE mdlx_other (a)`, `CREATE TABLE MDL_capital (a)`,
	)
	_, inv := plan(t, path, "mdl_")
	var names []string
	for _, info := range inv.Tables {
		names = append(names, info.Schema.Name)
	}
	if got := strings.Join(names, " "); got != "auto desc plain rowless strict" {
		t.Errorf("tables %s", got)
	}
	auto, plain := table(t, inv, "auto"), table(t, inv, "plain")
	if auto.Sequence == nil || *auto.Sequence != (schema.Sequence{Column: "id", Next: 42}) || plain.Sequence == nil || plain.Sequence.Next != 8 {
		t.Errorf("sequences %+v %+v", auto.Sequence, plain.Sequence)
	}
	if table(t, inv, "desc").Sequence != nil {
		t.Error("INTEGER PRIMARY KEY DESC is not the rowid")
	}
	defaults := map[string]string{"t": "it's", "n": "-1", "r": "1000", "e": "expression lower('X')", "ts": "expression CURRENT_TIMESTAMP", "nn": "none", "h": `\x0aff`, "id": "none"}
	for _, c := range auto.Columns {
		got := "none"
		if c.Default != nil {
			if got = c.Default.Value; c.Default.Expr {
				got = "expression " + got
			}
		}
		if got != defaults[c.Name] {
			t.Errorf("default of %s is %q, want %q", c.Name, got, defaults[c.Name])
		}
	}
	if r := table(t, inv, "rowless"); !slices.Equal(r.PrimaryKey, []string{"b", "a"}) || r.Columns[0].Nullable || !r.Columns[2].Nullable || r.Options != "WITHOUT ROWID" {
		t.Errorf("rowless %+v", r)
	}
	if plain.Column("g") != nil || plain.Column("u").Collation != "NOCASE" || plain.Column("ID").Nullable {
		t.Errorf("plain %+v", plain.Columns)
	}
	var indexes []string
	for _, x := range plain.Indexes {
		var columns []string
		for _, c := range x.Columns {
			columns = append(columns, fmt.Sprintf("{%s %d %t}", c.Name, c.Prefix, c.Desc))
		}
		indexes = append(indexes, fmt.Sprintf("%s %v %t %s", x.Name, columns, x.Unique, x.Native))
	}
	if got := strings.Join(indexes, "; "); got != "sqlite_autoindex_mdl_plain_1 [{u 0 false}] true ; two [{v 0 true} {ID 0 false}] false ; part [] true (v) WHERE v IS NOT NULL; expr [] false (lower(v))" {
		t.Errorf("indexes %s", got)
	}
	var lost []string
	for _, l := range inv.Losses {
		lost = append(lost, string(l.Kind)+" "+l.Path+" "+l.Where)
	}
	if got := strings.Join(lost, "; "); got != "column db/plain column g; constraint db/plain ; constraint db/plain foreign key v; table db/search ; view db/view ; trigger db/plain trigger mdl_trigger" {
		t.Errorf("losses %s", got)
	}
	if text := fmt.Sprint(inv.Notes); !strings.Contains(text, "MDL_capital, mdlx_other") {
		t.Errorf("notes %s", text)
	}
}

// A writer continues while the source reads: the rows are those at the time of the
// plan, and the sum over two tables is constant.
func TestReadsOneSnapshotWhileOthersWrite(t *testing.T) {
	path, db := database(t,
		`PRAGMA journal_mode = WAL`,
		`CREATE TABLE mdl_a (id INTEGER PRIMARY KEY, v INT, filler TEXT)`, `CREATE TABLE mdl_b (id INTEGER PRIMARY KEY, v INT)`,
		`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO mdl_a SELECT i, 10, hex(zeroblob(500)) FROM n`,
		`INSERT INTO mdl_b SELECT id, 10 FROM mdl_a`,
	)
	s, inv := plan(t, path, "mdl_")
	move := func() error {
		execute(t, db, `UPDATE mdl_a SET v = v - 1`, `UPDATE mdl_b SET v = v + 1`, `INSERT INTO mdl_b (v) VALUES (1000)`, `DELETE FROM mdl_a WHERE id > 2000`)
		return nil
	}
	if err := move(); err != nil {
		t.Fatal(err)
	}
	sum, count := 0, 0
	for _, u := range inv.Units {
		r := recorder{between: move}
		if err := s.ReadRows(t.Context(), stage.ReadRequest{Unit: u}, &r); err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(strings.TrimSpace(string(r.data)), "\n") {
			var id, v int
			if _, err := fmt.Sscan(strings.Join(strings.Split(line, "\t")[:2], " "), &id, &v); err != nil {
				t.Fatal(err)
			}
			sum, count = sum+v, count+1
		}
	}
	if sum != 60000 || count != 6000 {
		t.Errorf("%d rows with the sum %d, want 6000 with 60000", count, sum)
	}
	if !strings.Contains(inv.Facts["consistency"], "wal") {
		t.Errorf("facts %v", inv.Facts)
	}
}

func TestLargeTablesAreReadInRanges(t *testing.T) {
	path, _ := database(t, `CREATE TABLE t (id INTEGER PRIMARY KEY, x BLOB)`,
		`WITH RECURSIVE n(i) AS (SELECT -50 UNION ALL SELECT i + 1 FROM n WHERE i < 49) INSERT INTO t SELECT i * 1000003, zeroblob(100000) FROM n`)
	s, inv := plan(t, path, "")
	if len(inv.Units) < 2 {
		t.Fatalf("20 MB are %d units", len(inv.Units))
	}
	data, _ := read(t, s, inv, "t")
	seen := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(data), "\n") {
		id, _, _ := strings.Cut(line, "\t")
		if seen[id] {
			t.Errorf("row %s is read twice", id)
		}
		seen[id] = true
	}
	if len(seen) != 100 {
		t.Errorf("%d of 100 rows", len(seen))
	}
}

func TestRefusesFilesThatAreNotDatabases(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	empty, _ := database(t, `CREATE TABLE other (a)`)
	for _, c := range []struct{ path, says string }{
		{filepath.Join(dir, "missing"), "no such file"}, {dir, "is a directory"}, {text, "not a database"}, {empty, `no table begins with "mdl_"`},
	} {
		s := source.New(source.Config{Path: c.path, Prefix: "mdl_"})
		_, err := s.Plan(t.Context(), stage.PlanRequest{})
		if err == nil || !strings.Contains(err.Error(), c.says) || failure.Of(err) != failure.Refused {
			t.Errorf("%s: %v", c.path, err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("reading left %v behind, %v", entries, err)
	}
}

// A row that no longer fits a database created by Vault is reported, and the others
// are read.
func TestRowsThatDoNotFitAreReported(t *testing.T) {
	path, db := database(t, `PRAGMA application_id = 0x4c564c54`, `CREATE TABLE mdl_t (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, n BIGINT(10), s VARCHAR(3))`)
	execute(t, db, `INSERT INTO mdl_t VALUES (1, 1, 'a'), (2, 'x', 'b'), (3, 3, 'toolong'), (4, 4, 'd')`)
	s, inv := plan(t, path, "mdl_")
	data, losses := read(t, s, inv, "t")
	if data != "1\t1\ta\n4\t4\td\n" || len(losses) != 2 {
		t.Fatalf("%q %v", data, losses)
	}
	for i, want := range []string{`row db/t id=2 column n: the text x does not fit the column's type BIGINT(10)`, `row db/t id=3 column s: the text toolong does not fit the column's type VARCHAR(3)`} {
		if l := losses[i]; fmt.Sprintf("%s %s %s: %s", l.Kind, l.Path, l.Where, l.Reason) != want {
			t.Errorf("%+v", l)
		}
	}
}

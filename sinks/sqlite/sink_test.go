package sqlite_test

import (
	"context"
	"errors"
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
	"github.com/lmsvault/vault/sources/sample"
)

// given is a source of tables with given rows.
type given struct {
	tables []schema.Table
	rows   map[string]string
}

func (g *given) Plan(context.Context, stage.PlanRequest) (*stage.Inventory, error) {
	inv := &stage.Inventory{}
	for _, t := range g.tables {
		inv.Tables = append(inv.Tables, stage.TableInfo{Schema: t})
		inv.Units = append(inv.Units, stage.Unit{ID: "db/" + t.Name, Part: stage.DB, Table: t.Name})
	}
	return inv, nil
}

func (g *given) ReadRows(ctx context.Context, r stage.ReadRequest, w stage.RowWriter) error {
	if data := g.rows[r.Unit.Table]; data != "" {
		return w.Write(ctx, stage.Chunk{Data: []byte(data), Rows: strings.Count(data, "\n")})
	}
	return nil
}

func (g *given) Close(context.Context) error { return nil }

func column(name string, kind schema.Kind, size int) schema.Column {
	return schema.Column{Name: name, Type: schema.Type{Kind: kind, Size: size}}
}

func TestRejectedRowsAreListed(t *testing.T) {
	big := schema.Column{Name: "id", Type: schema.Type{Kind: schema.Int, Size: 8, Unsigned: true}}
	from := &given{
		tables: []schema.Table{
			{Name: "a", Columns: []schema.Column{column("k", schema.Int, 8), column("t", schema.Text, 0)}, PrimaryKey: []string{"k"}},
			{Name: "b", Columns: []schema.Column{big, column("n", schema.Int, 1)}, PrimaryKey: []string{"id"}, Sequence: &schema.Sequence{Column: "id", Next: 5}},
		},
		rows: map[string]string{
			"a": "1\tone\n1\ttwo\n2\t\\N\n3\tthree\n",
			"b": "1\t1\n2\t300\n18446744073709551615\t1\n9223372036854775806\t1\n",
		},
	}
	run := carry(t, from, sink.New(sink.Config{Path: filepath.Join(t.TempDir(), "x")}))
	run.proved(t)
	var got []string
	for _, l := range run.refused {
		got = append(got, fmt.Sprintf("%s %s %s %q", l.Kind, l.Path, l.Where, l.Row))
		if l.Count != 1 || l.Reason == "" {
			t.Errorf("%+v", l)
		}
	}
	slices.Sort(got)
	want := []string{
		`row db/a k=1 column k "1\ttwo"`,
		`row db/a k=2 column t "2\t\\N"`,
		`row db/b id=18446744073709551615 "18446744073709551615\t1"`,
		`row db/b id=2 column n "2\t300"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if next := run.proofs["b"].Schema.Sequence.Next; next != 9223372036854775807 {
		t.Errorf("the next key after the largest is %d", next)
	}
}

// A unit of which SQLite rejects nearly everything ends the run before the rejected
// rows fill the memory.
func TestRejectedRowsAreLimited(t *testing.T) {
	table := schema.Table{Name: "x", Columns: []schema.Column{column("n", schema.Int, 1), column("t", schema.Text, 0)}}
	for _, c := range []struct {
		row  string
		most int // maximum number of rejected rows
	}{{"300\t\n", 10_000}, {"300\t" + strings.Repeat("x", 1<<20-4) + "\n", 32}} {
		to := sink.New(sink.Config{Path: filepath.Join(t.TempDir(), "db")})
		if err := to.Begin(t.Context(), &stage.Plan{Tables: []stage.TableInfo{{Schema: table}}}); err != nil {
			t.Fatal(err)
		}
		w, err := to.WriteRows(t.Context(), stage.Unit{ID: "u", Part: stage.DB, Table: "x"})
		if err != nil {
			t.Fatal(err)
		}
		for range c.most {
			if err := w.Write(t.Context(), stage.Chunk{Data: []byte(c.row), Rows: 1}); err != nil {
				t.Fatal(err)
			}
		}
		err = w.Write(t.Context(), stage.Chunk{Data: []byte(c.row), Rows: 1})
		if err == nil || !strings.Contains(err.Error(), "table x: the database rejected more than 10000 rows or 32 MiB of one unit") {
			t.Errorf("the row after %d rejected ones: %v", c.most, err)
		}
		if err := to.Abort(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// A single rejected row is a listed loss, however large it is.
func TestLargeRejectedRowIsListed(t *testing.T) {
	table := schema.Table{Name: "x", Columns: []schema.Column{column("n", schema.Int, 1), column("t", schema.Text, 0)}}
	to := sink.New(sink.Config{Path: filepath.Join(t.TempDir(), "db")})
	if err := to.Begin(t.Context(), &stage.Plan{Tables: []stage.TableInfo{{Schema: table}}}); err != nil {
		t.Fatal(err)
	}
	w, err := to.WriteRows(t.Context(), stage.Unit{ID: "u", Part: stage.DB, Table: "x"})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{"1\tkept\n", "300\t" + strings.Repeat("x", 33<<20) + "\n", "2\tkept\n"} {
		if err := w.Write(t.Context(), stage.Chunk{Data: []byte(row), Rows: 1}); err != nil {
			t.Fatal(err)
		}
	}
	receipt, err := w.Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := receipt.Losses; len(got) != 1 || got[0].Kind != stage.LossRow || got[0].Path != "db/x" || !strings.HasPrefix(got[0].Where, "n=300") || len(got[0].Row) < 33<<20 {
		t.Errorf("%d rows are rejected", len(got))
	}
	if err := to.Abort(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestUnsupportedStructureIsReportedBeforehand(t *testing.T) {
	text := column("t", schema.Text, 0)
	text.Default = &schema.Default{Value: "now()", Expr: true}
	plan := &stage.Plan{Tables: []stage.TableInfo{{Schema: schema.Table{
		Name: "a", Dialect: "postgres", Columns: []schema.Column{column("k", schema.Int, 8), text}, Sequence: &schema.Sequence{Column: "k", Next: 1},
		Indexes: []schema.Index{
			{Name: "full", Method: "FULLTEXT", Columns: []schema.IndexColumn{{Name: "t"}}},
			{Name: "part", Unique: true, Columns: []schema.IndexColumn{{Name: "t", Prefix: 5}}},
			{Name: "expr", Native: "(lower(t))"},
			{Name: "plain", Columns: []schema.IndexColumn{{Name: "t", Prefix: 5}}},
		},
	}}}}
	path := filepath.Join(t.TempDir(), "x")
	found, err := sink.New(sink.Config{Path: path}).Check(t.Context(), plan)
	losses := found.Losses
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range losses {
		got = append(got, string(l.Kind)+" "+l.Where)
	}
	if text := strings.Join(got, "; "); text != "default column t; index index full; index index part; index index expr; default sequence of column k" {
		t.Error(text)
	}
	for _, twins := range [][]schema.Table{
		{{Name: "a", Columns: []schema.Column{text}}, {Name: "A", Columns: []schema.Column{text}}},
		{{Name: "a", Columns: []schema.Column{text, column("T", schema.Text, 0)}}},
		{{Name: "SQLITE_x", Columns: []schema.Column{text}}},
	} {
		plan := &stage.Plan{}
		for _, s := range twins {
			plan.Tables = append(plan.Tables, stage.TableInfo{Schema: s})
		}
		if _, err := sink.New(sink.Config{Path: path}).Check(t.Context(), plan); failure.Of(err) != failure.Refused {
			t.Errorf("%v: %v", twins, err)
		}
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) > 0 {
		t.Errorf("the check left %v behind, %v", left, err)
	}
}

func TestDoesNotOverwrite(t *testing.T) {
	dir := t.TempDir()
	site, note := filepath.Join(dir, "site"), filepath.Join(dir, "note")
	carry(t, newSample(t, "0.05"), sink.New(sink.Config{Path: site, Prefix: "mdl_"}))
	if err := os.WriteFile(note, []byte(strings.Repeat("text", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		config   sink.Config
		replace  stage.Replace
		preserve []string
		says     string
	}{
		{sink.Config{Path: site, Prefix: "mdl_"}, "", nil, "set replace: true"},
		{sink.Config{Path: site, Prefix: "other_"}, stage.ReplaceSwap, nil, "would be lost"},
		{sink.Config{Path: note}, stage.ReplaceInPlace, nil, "not a database"},
		{sink.Config{Path: dir}, stage.ReplaceSwap, nil, "is not a file"},
		{sink.Config{Path: site, Prefix: "mdl_"}, stage.ReplaceSwap, []string{"config"}, "cannot preserve"},
		{sink.Config{Path: filepath.Join(dir, "no", "folder")}, "", nil, "cannot write to the directory"},
	} {
		if _, err := sink.New(c.config).Check(t.Context(), &stage.Plan{Replace: c.replace, Preserve: c.preserve}); err == nil || !strings.Contains(err.Error(), c.says) || failure.Of(err) != failure.Refused {
			t.Errorf("%+v: %v", c.config, err)
		}
	}
	run := carryOver(t, newSample(t, "0.05"), sink.New(sink.Config{Path: site, Prefix: "mdl_"}), stage.ReplaceSwap)
	run.proved(t)
}

// When a file in WAL mode is replaced, nothing remains that SQLite would apply to the
// new one.
func TestReplacesDatabaseInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "site")
	db := openSQL(t, path)
	for _, s := range []string{"PRAGMA journal_mode = WAL", "CREATE TABLE mdl_old (a)", "INSERT INTO mdl_old VALUES (1)"} {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	run := carryOver(t, newSample(t, "0.05"), sink.New(sink.Config{Path: path, Prefix: "mdl_"}), stage.ReplaceInPlace)
	run.proved(t)
	var n int
	if err := openSQL(t, path).QueryRowContext(t.Context(), "SELECT count(*) FROM sqlite_master WHERE name = 'mdl_old'").Scan(&n); err != nil || n != 0 {
		t.Errorf("mdl_old exists %d times, %v", n, err)
	}
}

// A database that another process reads is not replaced: rows that are only in its
// write-ahead log could be lost before the new database has its name.
func TestDatabaseBeingReadIsNotReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "site")
	db := openSQL(t, path)
	for _, s := range []string{"PRAGMA journal_mode = WAL", "CREATE TABLE mdl_old (a)", "INSERT INTO mdl_old VALUES (1)"} {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	reader, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	count := func() (n int, err error) {
		return n, reader.QueryRowContext(t.Context(), "SELECT count(*) FROM mdl_old").Scan(&n)
	}
	if _, err := count(); err != nil {
		t.Fatal(err)
	}
	to := sink.New(sink.Config{Path: path, Prefix: "mdl_"})
	p := &stage.Plan{Replace: stage.ReplaceSwap}
	if err := errors.Join(to.Begin(t.Context(), p), to.Finish(t.Context(), &stage.Outcome{})); err != nil {
		t.Fatal(err)
	}
	if err := to.Publish(t.Context()); err == nil || !strings.Contains(err.Error(), "another process is using it; stop that process and run again") {
		t.Errorf("Publish says %v", err)
	}
	if err := errors.Join(to.Abort(t.Context()), to.Close(t.Context())); err != nil {
		t.Error(err)
	}
	if n, err := count(); n != 1 || err != nil {
		t.Errorf("the old database has %d rows, %v", n, err)
	}
	if err := reader.Rollback(); err != nil {
		t.Error(err)
	}
}

func TestPlanReportsReplacedSite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "site")
	replaced := func() bool {
		to := sink.New(sink.Config{Path: path, Prefix: "mdl_"})
		found, err := to.Check(t.Context(), &stage.Plan{Replace: stage.ReplaceSwap})
		notes := found.Notes
		if err := errors.Join(err, to.Close(t.Context())); err != nil {
			t.Fatal(err)
		}
		return slices.Contains(notes, stage.Note{Path: stage.DB, Text: "replace: " + path + " and its tables (2) will be replaced"})
	}
	if replaced() {
		t.Error("a missing file is reported as replaced")
	}
	db := openSQL(t, path)
	for _, s := range []string{"CREATE TABLE mdl_a (a)", "CREATE TABLE mdl_b (a)"} {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if !replaced() {
		t.Error("the replaced tables are not reported")
	}
}

// A run that ends early leaves no file that looks like a site, and the existing file
// stays.
func TestUnfinishedFileHasNoName(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "site")
	begin := func() (*sink.Sink, stage.RowUnit) {
		t.Helper()
		from := newSample(t, "0.05")
		inv, err := from.Plan(t.Context(), stage.PlanRequest{})
		if err != nil {
			t.Fatal(err)
		}
		to := sink.New(sink.Config{Path: path})
		if err := to.Begin(t.Context(), &stage.Plan{Tables: inv.Tables}); err != nil {
			t.Fatal(err)
		}
		var w stage.RowUnit
		for _, u := range inv.Units {
			if u.Table == "user" {
				if w, err = to.WriteRows(t.Context(), u); err != nil {
					t.Fatal(err)
				}
				if err := from.ReadRows(t.Context(), stage.ReadRequest{Unit: u}, w); err != nil {
					t.Fatal(err)
				}
			}
		}
		return to, w
	}
	first, _ := begin() // simulates a crash: only the connection is closed
	if err := first.Finish(t.Context(), &stage.Outcome{}); err == nil {
		t.Error("finished with an open unit")
	}
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("an unfinished file has its name: %v", err)
	}
	found, err := sink.New(sink.Config{Path: path}).Check(t.Context(), &stage.Plan{})
	notes := found.Notes
	if err != nil || len(notes) != 1 || !strings.Contains(notes[0].Text, "vault-partial") {
		t.Errorf("the next run returned %v, %v", notes, err)
	}
	second, w := begin()
	if err := w.Abort(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := second.Abort(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	third, w := begin()
	if _, err := w.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := third.Finish(t.Context(), &stage.Outcome{}); err != nil {
		t.Fatal(err)
	}
	if err := third.Abort(t.Context()); err != nil { // the proof failed
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("an unproven file has its final name: %v", err)
	}
	if err := third.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Index names are unique in the whole database, even if they were not in the source.
func TestIndexNamesDoNotCollide(t *testing.T) {
	with := func(name string, indexes ...string) schema.Table {
		s := schema.Table{Name: name, Columns: []schema.Column{column("a", schema.Int, 8)}}
		for _, x := range indexes {
			s.Indexes = append(s.Indexes, schema.Index{Name: x, Columns: []schema.IndexColumn{{Name: "a"}}})
		}
		return s
	}
	from := &given{tables: []schema.Table{with("x", "y", "IX", "sqlite_autoindex_x_1"), with("y", "ix", "ix_2", "")}}
	path := filepath.Join(t.TempDir(), "db")
	run := carry(t, from, sink.New(sink.Config{Path: path}))
	if n := len(run.proofs["x"].Schema.Indexes) + len(run.proofs["y"].Schema.Indexes); n != 6 {
		t.Errorf("%d of 6 indexes", n)
	}
}

func TestRowsThatBreakAUniqueIndexFailTheRun(t *testing.T) {
	table := schema.Table{Name: "x", Columns: []schema.Column{column("a", schema.Int, 8)},
		Indexes: []schema.Index{{Name: "u", Unique: true, Columns: []schema.IndexColumn{{Name: "a"}}}}}
	to := sink.New(sink.Config{Path: filepath.Join(t.TempDir(), "db")})
	if err := to.Begin(t.Context(), &stage.Plan{Tables: []stage.TableInfo{{Schema: table}}}); err != nil {
		t.Fatal(err)
	}
	w, err := to.WriteRows(t.Context(), stage.Unit{ID: "u", Part: stage.DB, Table: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(t.Context(), stage.Chunk{Data: []byte("1\n1\n"), Rows: 2}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := to.Finish(t.Context(), &stage.Outcome{}); err == nil || !strings.Contains(err.Error(), "index u of x") {
		t.Errorf("finished: %v", err)
	}
	if err := to.Abort(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestCancelEndsALoad(t *testing.T) {
	config := sample.Defaults()
	config.Files, config.DBBytes = false, 8<<20
	from, err := sample.New(config, 1)
	if err != nil {
		t.Fatal(err)
	}
	inv, err := from.Plan(t.Context(), stage.PlanRequest{})
	if err != nil {
		t.Fatal(err)
	}
	to := sink.New(sink.Config{Path: filepath.Join(t.TempDir(), "db")})
	if err := to.Begin(t.Context(), &stage.Plan{Tables: inv.Tables}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	for _, u := range inv.Units {
		if u.Table != "logstore_standard_log" {
			continue
		}
		w, err := to.WriteRows(ctx, u)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := from.ReadRows(ctx, stage.ReadRequest{Unit: u}, w); failure.Of(err) != failure.Interrupted {
			t.Errorf("ended with %v", err)
		}
		if err := w.Abort(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := to.Abort(t.Context()); err != nil {
		t.Fatal(err)
	}
}

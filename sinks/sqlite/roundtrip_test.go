package sqlite_test

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	sink "github.com/lmsvault/vault/sinks/sqlite"
	"github.com/lmsvault/vault/sources/sample"
	source "github.com/lmsvault/vault/sources/sqlite"
	"golang.org/x/sync/errgroup"
	_ "modernc.org/sqlite"
)

// tee passes a unit to a sink and keeps its rows.
type tee struct {
	stage.RowUnit
	data []byte
}

func (w *tee) Write(ctx context.Context, c stage.Chunk) error {
	w.data = append(w.data, c.Data...)
	return w.RowUnit.Write(ctx, c)
}

// carried is the result of a run.
type carried struct {
	inv     *stage.Inventory
	rows    map[string][]byte // by table
	refused []stage.Loss
	losses  []stage.Loss // of the sink's Check
	notes   []stage.Note
	proofs  map[string]stage.TableProof
}

// carry runs a source's tables into a sink, two units at a time, and proves them.
func carry(t *testing.T, from stage.RowSource, to stage.RowSink) *carried {
	t.Helper()
	return carryOver(t, from, to, stage.ReplaceNothing)
}

func carryOver(t *testing.T, from stage.RowSource, to stage.RowSink, replace stage.Replace) *carried {
	t.Helper()
	ctx := t.Context()
	run := &carried{rows: map[string][]byte{}, proofs: map[string]stage.TableProof{}}
	var err error
	if run.inv, err = from.Plan(ctx, stage.PlanRequest{}); err != nil {
		t.Fatal(err)
	}
	plan := &stage.Plan{Tables: run.inv.Tables, Parts: []string{stage.DB}, Facts: run.inv.Facts, Workers: 2, Replace: replace}
	found, err := to.Check(ctx, plan)
	if err != nil {
		t.Fatal(err)
	}
	run.losses, run.notes = found.Losses, found.Notes
	if err := to.Begin(ctx, plan); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	g, each := errgroup.WithContext(ctx)
	g.SetLimit(2)
	for _, u := range run.inv.Units {
		if u.Part != stage.DB {
			continue
		}
		g.Go(func() error {
			w, err := to.WriteRows(each, u)
			if err != nil {
				return err
			}
			both := &tee{RowUnit: w}
			if err := from.ReadRows(each, stage.ReadRequest{Unit: u}, both); err != nil {
				return err
			}
			receipt, err := w.Commit(each)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			run.rows[u.Table] = append(run.rows[u.Table], both.data...)
			run.refused = append(run.refused, receipt.Losses...)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := to.Finish(ctx, &stage.Outcome{}); err != nil {
		t.Fatal(err)
	}
	proofs, err := to.Prove(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := to.Publish(ctx); err != nil {
		t.Fatal(err)
	}
	for _, p := range proofs {
		run.proofs[p.Schema.Name] = p
	}
	for _, c := range []interface{ Close(context.Context) error }{from, to} {
		if err := c.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
	return run
}

// proved compares the proofs with the rows that were read.
func (run *carried) proved(t *testing.T) {
	t.Helper()
	for name, data := range run.rows {
		var want rows.Sum
		if err := want.AddChunk(data); err != nil {
			t.Fatal(err)
		}
		for _, l := range run.refused {
			if l.Path == "db/"+name {
				want.Remove(l.Row)
			}
		}
		if got := run.proofs[name].Sum; got != want {
			t.Errorf("%s: read %s, proven %s", name, want, got)
		}
	}
	if len(run.rows) != len(run.proofs) || len(run.rows) == 0 {
		t.Errorf("%d tables were read, %d proven", len(run.rows), len(run.proofs))
	}
}

func newSample(t *testing.T, factor string) stage.RowSource {
	t.Helper()
	config := sample.Defaults()
	config.Files, config.Factor = false, factor
	s, err := sample.New(config, 2)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openSQL(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// look reads a table with its own SQL and encodes it as rows, without the product's
// readers.
func look(t *testing.T, db *sql.DB, table string, s schema.Table) map[string]int {
	t.Helper()
	var columns []string
	for _, c := range s.Columns {
		name := `"` + strings.ReplaceAll(c.Name, `"`, `""`) + `"`
		switch c.Type.Kind {
		case schema.Binary:
			name = "'x' || hex(" + name + ")"
		case schema.Decimal:
			if c.Type.Length <= 15 {
				name = fmt.Sprintf("printf('%%.%df', %s)", c.Type.Scale, name)
			}
		}
		columns = append(columns, name)
	}
	// iif preserves NULL, which printf and || would change.
	for i, c := range s.Columns {
		name := `"` + strings.ReplaceAll(c.Name, `"`, `""`) + `"`
		columns[i] = "iif(" + name + " IS NULL, NULL, " + columns[i] + ")"
	}
	result, err := db.QueryContext(t.Context(), "SELECT "+strings.Join(columns, ", ")+` FROM "`+table+`"`)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for result.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := result.Scan(values...); err != nil {
			t.Fatal(err)
		}
		var cells []string
		for i := range values {
			cell := `\N`
			switch v := (*values[i].(*any)).(type) {
			case int64:
				cell = strconv.FormatInt(v, 10)
			case float64:
				bits := 64
				if s.Columns[i].Type.Size == 4 {
					bits = 32
				}
				cell = strconv.FormatFloat(v, 'g', -1, bits)
			case string:
				if s.Columns[i].Type.Kind == schema.Binary {
					raw, err := hex.DecodeString(v[1:])
					if err != nil {
						t.Fatal(err)
					}
					cell = `\\x` + hex.EncodeToString(raw)
					break
				}
				cell = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`).Replace(v)
			case []byte:
				t.Fatalf("%s.%s holds a blob", table, s.Columns[i].Name)
			}
			cells = append(cells, cell)
		}
		seen[strings.Join(cells, "\t")]++
	}
	if err := result.Err(); err != nil {
		t.Fatal(err)
	}
	return seen
}

func TestSampleIsReadBackExactly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "site?#% ü.sqlite")
	run := carry(t, newSample(t, "1"), sink.New(sink.Config{Path: path, Prefix: "mdl_"}))
	if len(run.losses)+len(run.refused) > 0 {
		t.Fatalf("lost %v, refused %v", run.losses, run.refused)
	}
	run.proved(t)
	db := openSQL(t, "file:"+strings.NewReplacer("?", "%3f", "#", "%23", "%", "%25").Replace(path))
	for _, info := range run.inv.Tables {
		seen := look(t, db, "mdl_"+info.Schema.Name, info.Schema)
		for _, row := range strings.Split(strings.TrimSuffix(string(run.rows[info.Schema.Name]), "\n"), "\n") {
			if len(run.rows[info.Schema.Name]) == 0 {
				continue
			}
			if seen[row]--; seen[row] < 0 {
				t.Errorf("%s lacks the row %.200q", info.Schema.Name, row)
			}
		}
		for row, n := range seen {
			if n > 0 {
				t.Errorf("%s has the extra row %.200q", info.Schema.Name, row)
			}
		}
	}
	if mode, err := os.Stat(path); err != nil || mode.Mode().Perm() != 0o600 {
		t.Errorf("the file can be read by others: %v %v", mode.Mode(), err)
	}
	var check string
	if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&check); err != nil || check != "ok" {
		t.Errorf("integrity: %s %v", check, err)
	}
}

func TestStructureIsReadBack(t *testing.T) {
	dir := t.TempDir()
	first := carry(t, newSample(t, "0.2"), sink.New(sink.Config{Path: filepath.Join(dir, "a"), Prefix: "mdl_"}))
	second := carry(t, source.New(source.Config{Path: filepath.Join(dir, "a"), Prefix: "mdl_"}), sink.New(sink.Config{Path: filepath.Join(dir, "b"), Prefix: ""}))
	second.proved(t)
	if len(second.inv.Losses)+len(second.inv.Notes)+len(second.losses) > 0 {
		t.Errorf("losses %v %v, notes %v", second.inv.Losses, second.losses, second.inv.Notes)
	}
	for i, was := range first.inv.Tables {
		is := second.inv.Tables[i]
		want := was.Schema
		want.Dialect = "sqlite"
		got := is.Schema
		for k := range got.Columns {
			got.Columns[k].Native = ""
		}
		if fmt.Sprintf("%+v", describe(want)) != fmt.Sprintf("%+v", describe(got)) {
			t.Errorf("was %+v\nis  %+v", describe(want), describe(got))
		}
		if is.Rows != was.Rows {
			t.Errorf("%s: %d rows planned, there are %d", was.Schema.Name, is.Rows, was.Rows)
		}
		a, b := first.proofs[was.Schema.Name], second.proofs[was.Schema.Name]
		if a.Sum != b.Sum {
			t.Errorf("%s: %s became %s", was.Schema.Name, a.Sum, b.Sum)
		}
	}
	if engine := second.inv.Facts["engine"]; !strings.HasPrefix(engine, "SQLite 3.") {
		t.Errorf("engine %q", engine)
	}
}

// describe formats a table, following its pointers.
func describe(t schema.Table) string {
	text := fmt.Sprintf("%s %s key %v indexes %v", t.Name, t.Dialect, t.PrimaryKey, t.Indexes)
	if t.Sequence != nil {
		text += fmt.Sprintf(" sequence %+v", *t.Sequence)
	}
	for _, c := range t.Columns {
		text += fmt.Sprintf("\n\t%s %+v null=%t", c.Name, c.Type, c.Nullable)
		if c.Default != nil {
			text += fmt.Sprintf(" default %+v", *c.Default)
		}
	}
	return text
}

// handMade creates a database with SQL and copies it into another, which it returns.
func handMade(t *testing.T, statements ...string) (*carried, *sql.DB) {
	t.Helper()
	dir := t.TempDir()
	from := openSQL(t, filepath.Join(dir, "from"))
	for _, s := range statements {
		if _, err := from.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	run := carry(t, source.New(source.Config{Path: filepath.Join(dir, "from")}), sink.New(sink.Config{Path: filepath.Join(dir, "to")}))
	run.proved(t)
	return run, openSQL(t, filepath.Join(dir, "to"))
}

// An ordinary key of SQLite's own kind stays one: it can be NULL, and is not the
// rowid.
func TestDescendingIntegerKeyIsReadBack(t *testing.T) {
	run, db := handMade(t, `CREATE TABLE t (id INTEGER PRIMARY KEY DESC, x TEXT)`, `INSERT INTO t VALUES (2, 'two'), (NULL, 'none'), (9, 'nine')`)
	was, is := run.inv.Tables[0].Schema, run.proofs["t"].Schema
	if describe(was) != describe(is) || !is.Columns[0].Nullable || is.Sequence != nil {
		t.Errorf("was %s\nis  %s", describe(was), describe(is))
	}
	var got string
	if err := db.QueryRowContext(t.Context(), `SELECT group_concat(coalesce(id, 'NULL') || x, ' ' ORDER BY x) FROM t`).Scan(&got); err != nil || got != "9nine NULLnone 2two" {
		t.Errorf("the rows are %q, %v", got, err)
	}
}

// A STRICT table allows only six types, also for a column whose values are wider than
// Vault interprets its type.
func TestStrictTableIsReadBack(t *testing.T) {
	run, db := handMade(t, `CREATE TABLE t (a INT, b ANY, c REAL, d BLOB, e TEXT) STRICT`, `INSERT INTO t VALUES (1099511627776, 'x', 0.1, x'00', 'é'), (NULL, 2, NULL, NULL, NULL)`)
	if is := run.proofs["t"].Schema; describe(run.inv.Tables[0].Schema) != describe(is) || is.Options != "STRICT" {
		t.Errorf("was %s\nis  %s", describe(run.inv.Tables[0].Schema), describe(is))
	}
	var got string
	if err := db.QueryRowContext(t.Context(), `SELECT group_concat(concat_ws(',', a, b, c, hex(d), e), ' ' ORDER BY b DESC) FROM t`).Scan(&got); err != nil || got != "1099511627776,x,0.1,00,é 2," {
		t.Errorf("the rows are %q, %v", got, err)
	}
}

package postgres_test

import (
	"errors"
	"fmt"
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

func intColumn(name string) schema.Column {
	return schema.Column{Name: name, Type: schema.Type{Kind: schema.Int, Size: 8}, Native: "bigint"}
}

func table(name string, columns ...schema.Column) schema.Table {
	t := schema.Table{Name: name, Dialect: "postgres", Columns: append([]schema.Column{intColumn("id")}, columns...), PrimaryKey: []string{"id"}}
	t.Sequence = &schema.Sequence{Column: "id", Next: 1}
	return t
}

func plan(tables ...schema.Table) *stage.Plan {
	p := &stage.Plan{Pipeline: "test", Parts: []string{stage.DB}, Workers: 2, Facts: map[string]string{"dialect": "mysql", "prefix": "old_"}}
	for _, t := range tables {
		p.Tables = append(p.Tables, stage.TableInfo{Schema: t})
	}
	return p
}

// replacing is a plan for a target that is not empty.
func replacing(how stage.Replace, tables ...schema.Table) *stage.Plan {
	p := plan(tables...)
	p.Replace = how
	return p
}

// restore writes chunks of one table as the engine would.
func restore(t *testing.T, s stage.RowSink, p *stage.Plan, name string, chunks ...string) []stage.Loss {
	t.Helper()
	ctx := t.Context()
	if _, err := s.Check(ctx, p); err != nil {
		t.Fatal(err)
	}
	if err := s.Begin(ctx, p); err != nil {
		t.Fatal(err)
	}
	refused := write(t, s, name, chunks...)
	if err := errors.Join(s.Finish(ctx, &stage.Outcome{}), s.Publish(ctx)); err != nil {
		t.Fatal(err)
	}
	return refused
}

func write(t *testing.T, s stage.RowSink, name string, chunks ...string) []stage.Loss {
	t.Helper()
	ctx := t.Context()
	w, err := s.WriteRows(ctx, stage.Unit{ID: "db/" + name, Part: stage.DB, Table: name})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range chunks {
		if err := w.Write(ctx, stage.Chunk{Data: []byte(c), Rows: strings.Count(c, "\n")}); err != nil {
			t.Fatal(err)
		}
	}
	receipt, err := w.Commit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return receipt.Losses
}

// Rows that the server rejects are reported with key, column and reason and skipped;
// all other rows of the same chunks are loaded.
func TestRejectedRowsAreListedAndOthersLoaded(t *testing.T) {
	db := servers.Postgres(t)
	p := plan(table("odd",
		schema.Column{Name: "name", Type: schema.Type{Kind: schema.Char, Length: 5}, Native: "varchar(5)"},
		schema.Column{Name: "n", Type: schema.Type{Kind: schema.Int, Size: 2}, Native: "smallint"},
		schema.Column{Name: "j", Type: schema.Type{Kind: schema.JSON}, Native: "jsonb", Nullable: true},
		schema.Column{Name: "d", Type: schema.Type{Kind: schema.Date}, Native: "date", Nullable: true},
	))
	bad := map[int]struct{ row, column, reason string }{
		1:  {"1\ttoolong\t1\t{}\t\\N", "name", "value too long for type character varying(5)"},
		4:  {"4\tx\x00y\t1\t{}\t\\N", "name", `invalid byte sequence for encoding "UTF8": 0x00`},
		5:  {"5\tx\xc3\t1\t{}\t\\N", "name", "invalid byte sequence"},
		9:  {"9\tx\t70000\t{}\t\\N", "n", "out of range for type smallint"},
		10: {"10\tx\t\\N\t{}\t\\N", "n", "null value in column"},
		12: {"12\tx\t1\t{\"a\":\"\\\\u0000\"}\t\\N", "j", "unsupported Unicode escape sequence"},
		15: {"15\tx\t1\t{}\t0000-00-00", "d", "date/time field value out of range"},
		20: {"20\t\xed\xa0\x80\t1\t{}\t\\N", "name", "invalid byte sequence"},
	}
	var chunks []string
	var b strings.Builder
	var want []string
	for id := 1; id <= 20; id++ {
		if r, ok := bad[id]; ok {
			b.WriteString(r.row + "\n")
		} else {
			fmt.Fprintf(&b, "%d\tgood\t1\t{}\t2024-01-01\n", id)
			want = append(want, fmt.Sprint(id))
		}
		if id == 7 || id == 19 { // the last chunk has a single, bad row
			chunks = append(chunks, b.String())
			b.Reset()
		}
	}
	chunks = append(chunks, b.String())
	refused := restore(t, newSink(t, sink.Config{Connection: where(db.DSN)}), p, "odd", chunks...)
	if got := column(t, db.SQL, "SELECT id FROM mdl_odd ORDER BY id"); !slices.Equal(got, want) {
		t.Errorf("rows %q, want %q", got, want)
	}
	if len(refused) != len(bad) {
		t.Errorf("%d rows rejected, want %d", len(refused), len(bad))
	}
	for _, loss := range refused {
		var id int
		var name string
		if _, err := fmt.Sscanf(loss.Where, "id=%d column %s", &id, &name); err != nil {
			t.Errorf("%q names no key and column: %v", loss.Where, err)
			continue
		}
		r := bad[id]
		if loss.Kind != stage.LossRow || loss.Path != "db/odd" || loss.Count != 1 || string(loss.Row) != r.row || name != r.column || !strings.Contains(loss.Reason, r.reason) {
			t.Errorf("got %+v, want row %q, column %s, reason %s", loss, r.row, r.column, r.reason)
		}
	}
}

// A chunk of which nothing can be loaded costs only its own rows.
func TestAllRowsOfChunkRejected(t *testing.T) {
	db := servers.Postgres(t)
	s := newSink(t, sink.Config{Connection: where(db.DSN)})
	chunk := strings.Repeat("x\n", 50)
	if refused := restore(t, s, plan(table("odd")), "odd", chunk, "1\n", chunk, "2\n"); len(refused) != 100 {
		t.Errorf("%d rows rejected", len(refused))
	}
	if got := column(t, db.SQL, "SELECT id FROM mdl_odd ORDER BY id"); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("there are %q", got)
	}
}

// What Abort or Drop rolled back is gone, and the session is free again.
func TestAbortedUnitLeavesNoRows(t *testing.T) {
	db := servers.Postgres(t)
	s := newSink(t, sink.Config{Connection: where(db.DSN)})
	p := plan(table("odd"))
	p.Workers = 1
	if err := s.Begin(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	for range 10 { // more than there are sessions
		w, err := s.WriteRows(t.Context(), stage.Unit{Part: stage.DB, Table: "odd"})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(t.Context(), stage.Chunk{Data: []byte("1\n"), Rows: 1}); err != nil {
			t.Fatal(err)
		}
		if err := w.Abort(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	write(t, s, "odd", "2\n")
	if got := column(t, db.SQL, "SELECT id FROM mdl_odd"); !slices.Equal(got, []string{"2"}) {
		t.Errorf("there are %q", got)
	}
}

// Until the last step of a restore, and after an Abort, the site is marked: no source
// reads it, and no sink overwrites it unless told to replace it.
func TestUnfinishedRestoreIsMarked(t *testing.T) {
	db := servers.Postgres(t)
	ctx := t.Context()
	p := plan(table("user"))
	unfinished := func(want bool) {
		t.Helper()
		t.Run("source", func(t *testing.T) { // closes the source at its end
			_, err := newSource(t, source.Config{Connection: where(db.DSN)}).Plan(ctx, stage.PlanRequest{})
			if got := err != nil && failure.Of(err) == failure.Refused && strings.Contains(err.Error(), "as unfinished or not proven"); got != want {
				t.Errorf("the source returned %v", err)
			}
		})
	}
	s := newSink(t, sink.Config{Connection: where(db.DSN)})
	if err := s.Begin(ctx, p); err != nil {
		t.Fatal(err)
	}
	unfinished(true)
	if _, err := newSink(t, sink.Config{Connection: where(db.DSN)}).Check(ctx, p); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "replace: true") {
		t.Errorf("a second restore: %v", err)
	}
	write(t, s, "user", "1\n")
	if err := s.Finish(ctx, &stage.Outcome{}); err != nil {
		t.Fatal(err)
	}
	unfinished(true)                     // not proven yet
	if err := s.Abort(ctx); err != nil { // the proof failed
		t.Fatal(err)
	}
	unfinished(true)
	again := newSink(t, sink.Config{Connection: where(db.DSN)})
	restore(t, again, replacing(stage.ReplaceSwap, table("user")), "user", "2\n")
	unfinished(false)
	if got := column(t, db.SQL, "SELECT id FROM mdl_user"); !slices.Equal(got, []string{"2"}) {
		t.Errorf("there are %q", got)
	}
}

// A target with tables of the prefix is refused; replace drops exactly the site's
// tables with their dependent objects, and nothing else.
func TestReplaceDropsOnlyTheSite(t *testing.T) {
	for _, how := range []stage.Replace{stage.ReplaceSwap, stage.ReplaceInPlace} {
		t.Run(string(how), func(t *testing.T) { replaceDropsTheSiteAlone(t, how) })
	}
}

func replaceDropsTheSiteAlone(t *testing.T, how stage.Replace) {
	db := servers.Postgres(t)
	execute(t, db.SQL, edges)
	execute(t, db.SQL, `ALTER TABLE mdl_composite ADD FOREIGN KEY (b) REFERENCES mdl_uniqueonly (b) NOT VALID`)
	p := plan(table("new"))
	if _, err := newSink(t, sink.Config{Connection: where(db.DSN)}).Check(t.Context(), p); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "not empty") {
		t.Fatalf("a target that is not empty: %v", err)
	}
	p.Replace = how
	restore(t, newSink(t, sink.Config{Connection: where(db.DSN)}), p, "new")
	got := column(t, db.SQL, `SELECT c.oid::regclass::text FROM pg_class c WHERE relkind IN ('r', 'p', 'v', 'm', 'S') AND relnamespace::regnamespace::text IN ('public', 'elsewhere') ORDER BY relname COLLATE "C", 1`)
	want := []string{`"MDL_user"`, "mdl", "mdl_new", "mdl_new_id_seq", "mdl_old_config", "mdl_old_config_plugins", "mdl_old_course", "mdl_old_user", "elsewhere.mdl_only_here", "elsewhere.mdl_types", "mdlx_trap", "other", "somebodys_counter"}
	if !slices.Equal(got, want) {
		t.Errorf("afterwards there are\n%q\nwant\n%q", got, want)
	}
	if got := column(t, db.SQL, `SELECT typname FROM pg_type WHERE typtype = 'e'`); !slices.Equal(got, []string{"plainmood"}) {
		t.Errorf("enumerations %q remain", got)
	}
}

// Another user's view on a table of the site stops replace before it drops anything.
func TestReplaceNeverCascades(t *testing.T) {
	db := servers.Postgres(t)
	execute(t, db.SQL, `CREATE TABLE mdl_user (id int); CREATE VIEW report AS SELECT * FROM mdl_user`)
	for _, how := range []stage.Replace{stage.ReplaceSwap, stage.ReplaceInPlace} {
		s := newSink(t, sink.Config{Connection: where(db.DSN)})
		if err := s.Begin(t.Context(), replacing(how, table("user"))); err == nil || !strings.Contains(err.Error(), "view report depends on table mdl_user") {
			t.Errorf("%s: got %v", how, err)
		}
	}
	column(t, db.SQL, `SELECT * FROM report`)
}

// Names follow Moodle's rules if the tables come from another engine, and are never
// duplicated or too long.
func TestIndexNamesFollowMoodle(t *testing.T) {
	db := servers.Postgres(t)
	execute(t, db.SQL, `CREATE TABLE other (a int); CREATE INDEX mdl_logsstanlog_cou_ix ON other (a)`)
	text := schema.Column{Name: "course", Type: schema.Type{Kind: schema.Int, Size: 8}, Native: "bigint"}
	x := func(unique bool, columns ...string) schema.Index {
		i := schema.Index{Name: "old_whatever", Unique: unique}
		for _, c := range columns {
			i.Columns = append(i.Columns, schema.IndexColumn{Name: c})
		}
		return i
	}
	log := table("logstore_standard_log", text)
	log.Indexes = []schema.Index{x(false, "course"), x(false, "course"), x(true, "course", "id")}
	long := table(strings.Repeat("l", 40), schema.Column{Name: "ünïcode", Type: text.Type, Native: "bigint"})
	for i := range 30 {
		long.Columns = append(long.Columns, schema.Column{Name: fmt.Sprintf("col%d", i), Type: text.Type, Native: "bigint", Nullable: true})
	}
	long.Indexes = []schema.Index{x(false, long.ColumnNames()...), x(false, long.ColumnNames()...), x(false, "ünïcode")}
	s := newSink(t, sink.Config{Connection: where(db.DSN)})
	restore(t, s, plan(log, long), log.Name)
	got := column(t, db.SQL, `SELECT indexname FROM pg_indexes WHERE tablename LIKE 'mdl%' ORDER BY tablename, indexname COLLATE "C"`)
	cols := strings.Repeat("col", 16)
	base := "mdl_llll_idünï" // two of its characters have two bytes; a name has 30 bytes at most, as Moodle makes them
	want := []string{
		"mdl_llll_id_pk", base + cols[:30-len(base+"_ix")] + "_ix", base + cols[:30-len(base+"2_ix")] + "2_ix", "mdl_llll_ünï_ix",
		"mdl_logsstanlog_cou2_ix", "mdl_logsstanlog_cou3_ix", "mdl_logsstanlog_couid_uix", "mdl_logsstanlog_id_pk",
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("indexes\n%q\nwant\n%q", got, want)
	}
}

// All obstacles to a restore are reported at once, before anything is changed.
func TestCheckReportsAllReasons(t *testing.T) {
	db := servers.Postgres(t)
	mysql := table("foreign")
	mysql.Dialect = "mysql"
	p := plan(mysql, table(strings.Repeat("l", 60)), table("typed",
		schema.Column{Name: "v", Type: schema.Type{Kind: schema.Other}, Native: "vector(3)"},
		schema.Column{Name: "sly", Type: schema.Type{Kind: schema.Other}, Native: "int); DROP TABLE x; --"},
		schema.Column{Name: "none", Type: schema.Type{Kind: schema.Int, Size: 8}},
	))
	_, err := newSink(t, sink.Config{Connection: where(db.DSN)}).Check(t.Context(), p)
	if failure.Of(err) != failure.Refused {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"table foreign has the dialect", "longer than 63 bytes", "column v: the server has no type vector(3)", "column sly: the server has no type", `column "sly": type "int); DROP TABLE x; --"`, `column "none": type int has no PostgreSQL type`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
	if got := column(t, db.SQL, `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace`); len(got) > 0 {
		t.Errorf("Check created %q", got)
	}
}

// A unique index that the rows violate is an error that names it, and the site stays
// marked.
func TestViolatedUniqueIndexIsNamed(t *testing.T) {
	db := servers.Postgres(t)
	odd := table("odd", intColumn("n"))
	odd.Indexes = []schema.Index{{Name: "u", Unique: true, Columns: []schema.IndexColumn{{Name: "n"}}}}
	s := newSink(t, sink.Config{Connection: where(db.DSN)})
	if err := s.Begin(t.Context(), plan(odd)); err != nil {
		t.Fatal(err)
	}
	write(t, s, "odd", "1\t5\n2\t5\n")
	err := s.Finish(t.Context(), &stage.Outcome{})
	if err == nil || !strings.Contains(err.Error(), "mdl_odd_n_uix") || !strings.Contains(err.Error(), "(n)=(5) is duplicated") {
		t.Errorf("got %v", err)
	}
	if got := column(t, db.SQL, `SELECT to_regclass('mdl_vault_restoring')`); got[0] == "" {
		t.Error("the site is not marked")
	}
}

package postgres_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/servers"
	sink "github.com/lmsvault/vault/sinks/postgres"
	source "github.com/lmsvault/vault/sources/postgres"
)

// A failed creation or drop costs nothing: the site to be replaced is unchanged and
// has no marker.
func TestFailedBeginInPlaceLeavesSite(t *testing.T) {
	db := servers.Postgres(t)
	execute(t, db.SQL, `CREATE TABLE mdl_aaa (id int); CREATE TABLE mdl_user (id serial PRIMARY KEY); INSERT INTO mdl_user VALUES (7); CREATE VIEW mdl_view AS SELECT * FROM mdl_user`)
	to := where(db.DSN)
	to.LockTimeout = config.Duration(200 * time.Millisecond)
	fails := func(what, wantCheck, want string, tables ...schema.Table) {
		t.Helper()
		s := newSink(t, sink.Config{Connection: to})
		_, err := s.Check(t.Context(), replacing(stage.ReplaceInPlace, tables...))
		if wantCheck == "" && err != nil || wantCheck != "" && (failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), wantCheck)) {
			t.Errorf("%s: Check returned %v", what, err)
		}
		if err := s.Begin(t.Context(), replacing(stage.ReplaceInPlace, tables...)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: Begin returned %v", what, err)
		}
		if err := s.Abort(t.Context()); err != nil {
			t.Error(err)
		}
		got := column(t, db.SQL, `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname COLLATE "C"`)
		if want := []string{"mdl_aaa", "mdl_user", "mdl_user_id_seq", "mdl_user_pkey", "mdl_view"}; !slices.Equal(got, want) {
			t.Errorf("%s: there are %q", what, got)
		}
		if got := column(t, db.SQL, `SELECT id FROM mdl_view`); !slices.Equal(got, []string{"7"}) {
			t.Errorf("%s: the view has %q", what, got)
		}
	}
	fails("a column of the server's own", "ctid", "ctid", table("user"), table("bad", intColumn("ctid")))
	unknown := intColumn("n")
	unknown.Default = &schema.Default{Value: "lower(1, 2, 3)", Expr: true}
	fails("a default that the server doesn't know", "", "function lower(integer, integer, integer) does not exist", table("user"), table("bad", unknown))

	tx, err := db.SQL.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), `SELECT * FROM mdl_user`); err != nil {
		t.Fatal(err)
	}
	fails("a table in use", "", "another session has locked the table", table("user"))
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	execute(t, db.SQL, `CREATE SCHEMA elsewhere; CREATE VIEW elsewhere.report AS SELECT * FROM mdl_user`)
	fails("somebody's view", "view elsewhere.report depends on table mdl_user; drop it first", "report depends on", table("user"))
}

// Objects of others that depend on the tables to be replaced are listed before
// anything is done; objects that are dropped along with them are no obstacle.
func TestReplaceRefusesDependents(t *testing.T) {
	db := servers.Postgres(t)
	execute(t, db.SQL, `CREATE TABLE mdl_course (id int PRIMARY KEY); CREATE TABLE mdl_user (id serial PRIMARY KEY, course int REFERENCES mdl_course, parent int REFERENCES mdl_user);
		CREATE VIEW mdl_view AS SELECT * FROM mdl_user; CREATE MATERIALIZED VIEW mdl_mat AS SELECT * FROM mdl_user; CREATE INDEX ON mdl_mat (id);
		CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER t BEFORE INSERT ON mdl_user FOR EACH ROW EXECUTE FUNCTION f();
		CREATE STATISTICS st ON id, course FROM mdl_user; CREATE TABLE mdl_log (id int) PARTITION BY RANGE (id); CREATE TABLE mdl_log_1 PARTITION OF mdl_log DEFAULT;
		CREATE SCHEMA elsewhere`)
	check := func() error {
		t.Helper()
		_, err := newSink(t, sink.Config{Connection: where(db.DSN)}).Check(t.Context(), replacing(stage.ReplaceInPlace, table("user")))
		_, swap := newSink(t, sink.Config{Connection: where(db.DSN)}).Check(t.Context(), replacing(stage.ReplaceSwap, table("user")))
		if (err == nil) != (swap == nil) {
			t.Errorf("in place: %v; swap: %v", err, swap)
		}
		return err
	}
	if err := check(); err != nil {
		t.Fatalf("the site alone: %v", err)
	}
	for _, c := range []struct{ make, drop, want string }{
		{"CREATE VIEW elsewhere.report AS SELECT 1 FROM mdl_view", "DROP VIEW elsewhere.report", "view elsewhere.report depends on view mdl_view"},
		{"CREATE MATERIALIZED VIEW elsewhere.cache AS SELECT id FROM mdl_user", "DROP MATERIALIZED VIEW elsewhere.cache", "materialized view elsewhere.cache depends on table mdl_user"},
		{"CREATE TABLE grades (u int REFERENCES mdl_user)", "DROP TABLE grades", "constraint grades_u_fkey on table grades depends on "},
		{"CREATE TABLE twin (id int DEFAULT nextval('mdl_user_id_seq'))", "DROP TABLE twin", "depends on sequence mdl_user_id_seq"},
		{"CREATE TABLE child () INHERITS (mdl_course)", "DROP TABLE child", "table child depends on table mdl_course"},
		{"CREATE FUNCTION elsewhere.g(mdl_user) RETURNS int LANGUAGE sql AS 'SELECT 1'", "DROP FUNCTION elsewhere.g", "function elsewhere.g(mdl_user) depends on type mdl_user"},
		{"CREATE MATERIALIZED VIEW mdl_deep AS SELECT * FROM mdl_view", "DROP MATERIALIZED VIEW mdl_deep", "materialized view mdl_deep depends on view mdl_view"},
	} {
		execute(t, db.SQL, c.make)
		if err := check(); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "; drop it first and recreate it after the restore") {
			t.Errorf("%s: %v", c.make, err)
		}
		execute(t, db.SQL, c.drop)
	}
	if got := column(t, db.SQL, `SELECT count(*)::text FROM pg_class WHERE relname LIKE 'mdl%' AND relkind IN ('r', 'p', 'v', 'm')`); !slices.Equal(got, []string{"6"}) {
		t.Errorf("Check changed the site: %q of 6 remain", got)
	}
}

// While a restore works on a target, no other one can begin there; afterwards it can.
func TestOneRestoreAtATime(t *testing.T) {
	c := sink.Config{Connection: where(servers.Postgres(t).DSN)}
	first := newSink(t, c)
	if err := first.Begin(t.Context(), replacing(stage.ReplaceSwap, table("user"))); err != nil {
		t.Fatal(err)
	}
	if err := newSink(t, c).Begin(t.Context(), replacing(stage.ReplaceSwap, table("user"))); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "another restore") {
		t.Errorf("a second restore: %v", err)
	}
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := newSink(t, c).Begin(t.Context(), replacing(stage.ReplaceSwap, table("user"))); err != nil {
		t.Errorf("after the first: %v", err)
	}
}

// A run never replaces what it reads, whatever address is used; a snapshot may
// replace the site it was made from.
func TestSourceIsNotReplaced(t *testing.T) {
	db := servers.Postgres(t)
	execute(t, db.SQL, `CREATE TABLE mdl_user (id int); CREATE SCHEMA other`)
	inv, err := newSource(t, source.Config{Connection: where(db.DSN)}).Plan(t.Context(), stage.PlanRequest{})
	if err != nil {
		t.Fatal(err)
	}
	p := planOf(inv)
	p.Replace = stage.ReplaceSwap
	p.Locations, p.Snapshots = []string{inv.Location}, []string{"x"} // of the files
	c := sink.Config{Connection: where(strings.Replace(db.DSN, "127.0.0.1", "localhost", 1))}
	check := func(refused bool) {
		t.Helper()
		_, err := newSink(t, c).Check(t.Context(), p)
		if got := failure.Of(err) == failure.Refused && strings.Contains(err.Error(), "same database"); got != refused {
			t.Errorf("prefix %q, schema %q: %v", c.Prefix, c.Schema, err)
		}
	}
	check(true)
	c.Prefix = "m2_"
	check(false)
	c.Prefix, c.Schema = "", "other"
	check(false)
	c.Schema, p.Locations, p.Snapshots = "", nil, []string{"x"}
	check(false)
}

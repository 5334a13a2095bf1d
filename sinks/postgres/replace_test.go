package postgres_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/internal/servers"
	sink "github.com/lmsvault/vault/sinks/postgres"
	source "github.com/lmsvault/vault/sources/postgres"
)

// What can't be created or dropped costs nothing: the site that was to be
// replaced is as it was and has no mark.
func TestReplaceThatFailsLeavesTheSite(t *testing.T) {
	db := servers.Postgres(t)
	execute(t, db.SQL, `CREATE TABLE mdl_aaa (id int); CREATE TABLE mdl_user (id serial PRIMARY KEY); INSERT INTO mdl_user VALUES (7); CREATE VIEW mdl_view AS SELECT * FROM mdl_user`)
	to := where(db.DSN)
	to.LockTimeout = config.Duration(200 * time.Millisecond)
	fails := func(what, wantCheck, want string, tables ...schema.Table) {
		t.Helper()
		s := newSink(t, sink.Config{Connection: to, Replace: true})
		_, _, err := s.Check(t.Context(), plan(tables...))
		if wantCheck == "" && err != nil || wantCheck != "" && (failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), wantCheck)) {
			t.Errorf("%s: Check says %v", what, err)
		}
		if err := s.Begin(t.Context(), plan(tables...)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: Begin says %v", what, err)
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
	fails("a table in use", "", "another session holds a lock", table("user"))
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	execute(t, db.SQL, `CREATE SCHEMA elsewhere; CREATE VIEW elsewhere.report AS SELECT * FROM mdl_user`)
	fails("somebody's view", "", "report depends on", table("user"))
}

// While one restore works on a target, no other one begins there; after it one may.
func TestOneRestoreAtATime(t *testing.T) {
	c := sink.Config{Connection: where(servers.Postgres(t).DSN), Replace: true}
	first := newSink(t, c)
	if err := first.Begin(t.Context(), plan(table("user"))); err != nil {
		t.Fatal(err)
	}
	if err := newSink(t, c).Begin(t.Context(), plan(table("user"))); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "another restore") {
		t.Errorf("a second restore: %v", err)
	}
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := newSink(t, c).Begin(t.Context(), plan(table("user"))); err != nil {
		t.Errorf("after the first: %v", err)
	}
}

// What a run reads is never replaced by it, by whatever address it is reached; a
// snapshot may replace the site that it was made of.
func TestSourceIsNotReplaced(t *testing.T) {
	db := servers.Postgres(t)
	execute(t, db.SQL, `CREATE TABLE mdl_user (id int); CREATE SCHEMA other`)
	inv, err := newSource(t, source.Config{Connection: where(db.DSN)}).Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := planOf(inv)
	c := sink.Config{Connection: where(strings.Replace(db.DSN, "127.0.0.1", "localhost", 1)), Replace: true}
	check := func(refused bool) {
		t.Helper()
		_, _, err := newSink(t, c).Check(t.Context(), p)
		if got := failure.Of(err) == failure.Refused && strings.Contains(err.Error(), "same database"); got != refused {
			t.Errorf("prefix %q, schema %q: %v", c.Prefix, c.Schema, err)
		}
	}
	check(true)
	c.Prefix = "m2_"
	check(false)
	c.Prefix, c.Schema = "", "other"
	check(false)
	c.Schema, p.Facts["snapshot"] = "", "x"
	check(false)
}

package postgres_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/pgtest"
	"github.com/lmsvault/vault/internal/servers"
	sink "github.com/lmsvault/vault/sinks/postgres"
	source "github.com/lmsvault/vault/sources/postgres"
)

// contents describes everything in a schema, and fails the test if a restore left
// something beside the site.
func contents(t *testing.T, db *sql.DB) []string {
	t.Helper()
	all, beside := pgtest.Contents(t, db)
	if beside != nil {
		t.Errorf("left behind: %q", beside)
	}
	return all
}

// difference lists what only one of two schemas has.
func difference(a, b []string) (out []string) {
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, "- "+s)
		}
	}
	for _, s := range b {
		if !slices.Contains(a, s) {
			out = append(out, "+ "+s)
		}
	}
	return out
}

func same(t *testing.T, what string, want, got []string) {
	t.Helper()
	if d := difference(want, got); d != nil {
		t.Errorf("%s: the difference is\n%s", what, strings.Join(d, "\n"))
	}
}

const oldSite = `CREATE TYPE mdl_mood AS ENUM ('old', 'older');
	CREATE TABLE mdl_user (id bigserial PRIMARY KEY, name text, mood mdl_mood);
	CREATE INDEX mdl_user_nam_ix ON mdl_user (name);
	INSERT INTO mdl_user (name, mood) VALUES ('before', 'old'), ('before too', 'older');
	CREATE TABLE mdl_plugin (id bigserial PRIMARY KEY, u bigint REFERENCES mdl_user, UNIQUE (u)); INSERT INTO mdl_plugin (u) VALUES (2);
	CREATE VIEW mdl_view AS SELECT u.name FROM mdl_user u JOIN mdl_plugin p ON p.u = u.id;
	CREATE MATERIALIZED VIEW mdl_mat AS SELECT * FROM mdl_user;
	CREATE SEQUENCE mdl_free_seq;
	CREATE TABLE mdl_log (id int, d int DEFAULT nextval('mdl_free_seq')) PARTITION BY RANGE (id); CREATE TABLE mdl_log_1 PARTITION OF mdl_log DEFAULT; CREATE INDEX mdl_log_ix ON mdl_log (d); INSERT INTO mdl_log VALUES (1);
	CREATE TABLE other (id serial PRIMARY KEY); INSERT INTO other VALUES (5);
	CREATE TABLE vault_new (id int)`

const newSite = `CREATE TYPE mdl_mood AS ENUM ('new');
	CREATE TABLE mdl_user (id bigserial PRIMARY KEY, name text NOT NULL DEFAULT '', mood mdl_mood DEFAULT 'new');
	CREATE UNIQUE INDEX mdl_user_nam_ix ON mdl_user (name);
	INSERT INTO mdl_user (name) SELECT 'after ' || i FROM generate_series(1, 1000) i;
	CREATE TABLE mdl_log (id bigserial PRIMARY KEY, what text, UNIQUE (what, id)); CREATE INDEX mdl_log_ix ON mdl_log (lower(what)) WHERE id > 0;
	COMMENT ON COLUMN mdl_log.what IS 'kept';
	CREATE TABLE mdl_a_table_with_a_name_that_is_almost_as_long_as_a_name_may_be (id bigserial PRIMARY KEY, n int)`

// swapping plans a swap of the new site for the old one in its own database.
func swapping(t *testing.T) (to servers.Database, from stage.RowSource, before []string) {
	t.Helper()
	db := servers.Postgres(t)
	execute(t, db.SQL, newSite)
	to = servers.Postgres(t)
	execute(t, to.SQL, oldSite)
	return to, newSource(t, source.Config{Connection: where(db.DSN)}), contents(t, to.SQL)
}

// After a swap the target is as if it had been restored into an empty schema, with
// the same names; the old site is gone, and everything else is unchanged.
func TestSwapEqualsRestoreIntoEmptySchema(t *testing.T) {
	to, from, _ := swapping(t)
	fresh := servers.Postgres(t)
	execute(t, fresh.SQL, `CREATE TABLE other (id serial PRIMARY KEY); INSERT INTO other VALUES (5); CREATE TABLE vault_new (id int)`)
	carry(t, from, newSink(t, sink.Config{Connection: where(fresh.DSN)}))
	for range 2 { // over the old site, and over the new one
		again := newSource(t, source.Config{Connection: where(fresh.DSN)})
		carryOnto(t, stage.ReplaceSwap, again, newSink(t, sink.Config{Connection: where(to.DSN)}))
		same(t, "swap", contents(t, fresh.SQL), contents(t, to.SQL))
	}
	empty := servers.Postgres(t)
	execute(t, empty.SQL, `CREATE TABLE other (id serial PRIMARY KEY); INSERT INTO other VALUES (5); CREATE TABLE vault_new (id int)`)
	carryOnto(t, stage.ReplaceSwap, newSource(t, source.Config{Connection: where(fresh.DSN)}), newSink(t, sink.Config{Connection: where(empty.DSN)}))
	same(t, "swap with nothing", contents(t, fresh.SQL), contents(t, empty.SQL))
}

// Whatever ends a swap before Publish, Abort leaves the target unchanged.
func TestAbortedSwapLeavesTargetUnchanged(t *testing.T) {
	to, from, before := swapping(t)
	inv, err := from.Plan(t.Context(), stage.PlanRequest{})
	if err != nil {
		t.Fatal(err)
	}
	p := planOf(inv)
	p.Replace = stage.ReplaceSwap
	for _, until := range []string{"begin", "load", "finish", "prove"} {
		t.Run(until, func(t *testing.T) {
			ctx := t.Context()
			s := newSink(t, sink.Config{Connection: where(to.DSN)})
			if _, err := s.Check(ctx, p); err != nil {
				t.Fatal(err)
			}
			if err := s.Begin(ctx, p); err != nil {
				t.Fatal(err)
			}
			if until != "begin" {
				write(t, s, "log", "1\tx\n2\ty\n")
			}
			if until == "finish" || until == "prove" {
				if err := s.Finish(ctx, &stage.Outcome{}); err != nil {
					t.Fatal(err)
				}
			}
			if until == "prove" {
				if _, err := s.Prove(ctx); err != nil {
					t.Fatal(err)
				}
			}
			now, _ := pgtest.Contents(t, to.SQL)
			same(t, "while it is loaded", before, now)
			for range 2 {
				if err := s.Abort(ctx); err != nil {
					t.Error(err)
				}
			}
			same(t, "after Abort", before, contents(t, to.SQL))
		})
	}
}

// New rows that violate a constraint fail the run, and the existing site is
// unchanged.
func TestFailedFinishOfSwapLeavesSite(t *testing.T) {
	to, _, before := swapping(t)
	odd := table("user", intColumn("n"))
	odd.Indexes = []schema.Index{{Name: "u", Unique: true, Columns: []schema.IndexColumn{{Name: "n"}}}}
	s := newSink(t, sink.Config{Connection: where(to.DSN)})
	if err := s.Begin(t.Context(), replacing(stage.ReplaceSwap, odd)); err != nil {
		t.Fatal(err)
	}
	write(t, s, "user", "1\t5\n2\t5\n")
	if err := s.Finish(t.Context(), &stage.Outcome{}); err == nil || !strings.Contains(err.Error(), "(n)=(5) is duplicated") {
		t.Errorf("got %v", err)
	}
	if err := s.Abort(t.Context()); err != nil {
		t.Error(err)
	}
	same(t, "after Abort", before, contents(t, to.SQL))
}

// A swap that fails because the site is in use, or because something depends on it by
// now, is an error, and the site is unchanged.
func TestFailedPublishOfSwapLeavesSite(t *testing.T) {
	to, _, before := swapping(t)
	c := where(to.DSN)
	c.LockTimeout = config.Duration(200 * time.Millisecond)
	fails := func(want string) {
		t.Helper()
		s := newSink(t, sink.Config{Connection: c})
		if err := s.Begin(t.Context(), replacing(stage.ReplaceSwap, table("user"))); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := s.Abort(t.Context()); err != nil {
				t.Error(err)
			}
		}()
		write(t, s, "user", "1\n")
		if err := s.Finish(t.Context(), &stage.Outcome{}); err != nil {
			t.Fatal(err)
		}
		var inTheWay func()
		if want == "another session has locked the table" {
			tx, err := to.SQL.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.ExecContext(t.Context(), `SELECT * FROM mdl_user`); err != nil {
				t.Fatal(err)
			}
			inTheWay = func() { _ = tx.Rollback() }
		} else {
			execute(t, to.SQL, `CREATE VIEW report AS SELECT name FROM mdl_user`)
			inTheWay = func() { execute(t, to.SQL, `DROP VIEW report`) }
		}
		if err := s.Publish(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		inTheWay()
	}
	fails("another session has locked the table")
	same(t, "a table in use", before, contents(t, to.SQL))
	fails("view report depends on table mdl_user")
	same(t, "somebody's view", before, contents(t, to.SQL))
}

// The new site is complete although the old one could not be dropped. A note says so,
// and the next restore drops it.
func TestOldTablesCannotBeDropped(t *testing.T) {
	to, from, _ := swapping(t)
	execute(t, to.SQL, `CREATE FUNCTION deny() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN IF current_query() NOT LIKE ''%restoring%'' THEN RAISE ''nobody drops here''; END IF; END';
		CREATE EVENT TRIGGER deny ON ddl_command_start WHEN TAG IN ('DROP SCHEMA', 'DROP TABLE') EXECUTE FUNCTION deny()`)
	s := newSink(t, sink.Config{Connection: where(to.DSN)})
	carryOnto(t, stage.ReplaceSwap, from, s)
	notes, err := s.(stage.Noter).Notes(t.Context())
	if err != nil || len(notes) != 1 || !strings.Contains(notes[0].Text, "nobody drops here") || !strings.Contains(notes[0].Text, "the next restore tries again") {
		t.Errorf("notes %q, %v", notes, err)
	}
	if _, beside := pgtest.Contents(t, to.SQL); beside == nil {
		t.Error("the test needs remains, but there are none")
	}
	execute(t, to.SQL, `DROP EVENT TRIGGER deny; DROP FUNCTION deny`)
	again := newSink(t, sink.Config{Connection: where(to.DSN)})
	site := servers.Postgres(t)
	execute(t, site.SQL, newSite)
	carryOnto(t, stage.ReplaceSwap, newSource(t, source.Config{Connection: where(site.DSN)}), again)
	contents(t, to.SQL)
	if notes, err := again.(stage.Noter).Notes(t.Context()); err != nil || notes != nil {
		t.Errorf("notes %q, %v", notes, err)
	}
}

// Sources ignore the remains of a killed run, and the next restore removes them and
// ends sessions of that run.
func TestLeftoversAreIgnoredAndRemoved(t *testing.T) {
	to, _, before := swapping(t)
	dead := newSink(t, sink.Config{Connection: where(to.DSN)})
	if err := dead.Begin(t.Context(), replacing(stage.ReplaceSwap, table("user"), table("config"), table("course"))); err != nil {
		t.Fatal(err)
	}
	w, err := dead.WriteRows(t.Context(), stage.Unit{ID: "db/user", Part: stage.DB, Table: "user"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(t.Context(), stage.Chunk{Data: []byte("1\n"), Rows: 1}); err != nil {
		t.Fatal(err)
	}
	// Its first session, which held the lock, ends. The others remain open.
	execute(t, to.SQL, `SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
	inv, err := newSource(t, source.Config{Connection: where(to.DSN)}).Plan(t.Context(), stage.PlanRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, i := range inv.Tables {
		names = append(names, i.Schema.Name)
	}
	if !slices.Equal(names, []string{"log", "plugin", "user"}) || !slices.ContainsFunc(inv.Notes, func(n stage.Note) bool {
		return strings.Contains(n.Text, "belong to a running or interrupted restore")
	}) {
		t.Errorf("the source has %q and notes %+v", names, inv.Notes)
	}
	if err := newSource(t, source.Config{Connection: where(to.DSN)}).Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := newSink(t, sink.Config{Connection: where(to.DSN)})
	if err := s.Begin(t.Context(), replacing(stage.ReplaceSwap, table("user"))); err != nil {
		t.Fatal(err)
	}
	if err := s.Abort(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, "after the next run", before, contents(t, to.SQL))
	if _, err := w.Commit(t.Context()); err == nil {
		t.Error("the dead run can still commit")
	}
	_ = w.Abort(t.Context())
}

// A swap needs no privilege that Moodle's own user lacks: only CREATE on its schema.
func TestSwapNeedsOnlyCreateOnSchema(t *testing.T) {
	db := servers.Postgres(t)
	name := "vt_" + strings.ToLower(rand.Text())
	execute(t, db.SQL, "CREATE ROLE "+name+" LOGIN PASSWORD 'sesame'; GRANT CREATE, USAGE ON SCHEMA public TO "+name)
	t.Cleanup(func() {
		if _, err := db.SQL.ExecContext(context.Background(), "DROP OWNED BY "+name+"; DROP ROLE "+name); err != nil {
			t.Errorf("dropping a role: %v", err)
		}
	})
	u, err := url.Parse(db.DSN)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(name, "sesame")
	for id := range 2 {
		restore(t, newSink(t, sink.Config{Connection: where(u.String())}), replacing(stage.ReplaceSwap, table("user")), "user", fmt.Sprintf("%d\n", id))
		if got := column(t, db.SQL, "SELECT id FROM mdl_user"); !slices.Equal(got, []string{fmt.Sprint(id)}) {
			t.Errorf("there are %q", got)
		}
	}
}

// A swap that needs more locks than the server has is refused beforehand, with
// advice.
func TestSwapWithoutEnoughLocksIsRefused(t *testing.T) {
	db := servers.Postgres(t)
	var most int
	if err := db.SQL.QueryRowContext(t.Context(), `SELECT current_setting('max_locks_per_transaction')::int * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int)`).Scan(&most); err != nil {
		t.Fatal(err)
	}
	large := table("user")
	for i := range most {
		large.Indexes = append(large.Indexes, schema.Index{Name: fmt.Sprint(i), Columns: []schema.IndexColumn{{Name: "id"}}})
	}
	_, err := newSink(t, sink.Config{Connection: where(db.DSN)}).Check(t.Context(), replacing(stage.ReplaceSwap, large))
	if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "raise max_locks_per_transaction") || !strings.Contains(err.Error(), "in_place") {
		t.Errorf("got %v", err)
	}
	if _, err := newSink(t, sink.Config{Connection: where(db.DSN)}).Check(t.Context(), replacing(stage.ReplaceInPlace, large)); err != nil {
		t.Errorf("in place: %v", err)
	}
}

// Preserved tables stay unchanged, however the rest is replaced; a restored table
// with such a name is refused.
func TestPreservedTablesStay(t *testing.T) {
	for _, how := range []stage.Replace{stage.ReplaceSwap, stage.ReplaceInPlace} {
		t.Run(string(how), func(t *testing.T) {
			db := servers.Postgres(t)
			execute(t, db.SQL, `CREATE TABLE mdl_user (id int); CREATE TABLE mdl_local_a (id serial PRIMARY KEY, x text); INSERT INTO mdl_local_a (x) VALUES ('mine');
				CREATE INDEX mdl_user_id_pk ON mdl_local_a (x); CREATE VIEW mdl_local_view AS SELECT * FROM mdl_local_a`)
			p := replacing(how, table("user"))
			p.Preserve = []string{"local_*", "nothing"}
			s := newSink(t, sink.Config{Connection: where(db.DSN)})
			found, err := s.Check(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			var notes []string
			for _, n := range found.Notes {
				notes = append(notes, n.Path+" "+n.Text)
			}
			for _, want := range []string{"db/local_a preserved: stays unchanged", "db/local_view preserved: stays unchanged", `db preserve: "nothing" matches no table of the target`} {
				if !slices.Contains(notes, want) {
					t.Errorf("%q is missing in %q", want, notes)
				}
			}
			restore(t, s, p, "user", "1\n")
			got := column(t, db.SQL, `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1`)
			if want := []string{"mdl_local_a", "mdl_local_a_id_seq", "mdl_local_a_pkey", "mdl_local_view", "mdl_user", "mdl_user_id2_pk", "mdl_user_id_pk", "mdl_user_id_seq"}; !slices.Equal(got, want) {
				t.Errorf("there are %q", got)
			}
			if got := column(t, db.SQL, `SELECT x FROM mdl_local_view`); !slices.Equal(got, []string{"mine"}) {
				t.Errorf("the preserved table has %q", got)
			}
			p = replacing(how, table("user"), table("local_a"))
			p.Preserve = []string{"local_*"}
			if _, err := newSink(t, sink.Config{Connection: where(db.DSN)}).Check(t.Context(), p); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "table local_a is both preserved and restored") {
				t.Errorf("got %v", err)
			}
		})
	}
}

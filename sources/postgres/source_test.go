package postgres

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
	"github.com/lmsvault/vault/internal/servers"
)

func newSource(t testing.TB, dsn string, change func(*Config)) *Source {
	t.Helper()
	c := &Config{Connection: postgres.Connection{DSN: config.NewSecret(dsn)}}
	if err := config.Defaults(c); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(c)
	}
	s, err := Stage().NewSource(t.Context(), c, stage.Env{Workers: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("closing the source: %v", err)
		}
	})
	return s.(*Source)
}

func execute(t testing.TB, db *sql.DB, statements string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
}

// heap keeps the rows of one unit.
type heap struct {
	before func(context.Context) error
	data   strings.Builder
}

func (h *heap) Write(ctx context.Context, c stage.Chunk) error {
	if h.before != nil {
		if err := h.before(ctx); err != nil {
			return err
		}
	}
	h.data.Write(c.Data)
	return nil
}

func (h *heap) Loss(context.Context, stage.Loss) error { return nil }

// While a program moves values between two tables, all connections share one view:
// the sum over both tables never changes.
func TestAllTablesAreReadFromOneSnapshot(t *testing.T) {
	db := servers.Postgres(t)
	const tables = 6
	for i := range tables {
		execute(t, db.SQL, fmt.Sprintf(`CREATE TABLE mdl_account%d (id bigserial PRIMARY KEY, amount bigint); INSERT INTO mdl_account%d (amount) VALUES (100)`, i, i))
	}
	s := newSource(t, db.DSN, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex
	moved := sync.NewCond(&mu)
	moves := 0
	writer := make(chan error, 1)
	go func() {
		for i := 0; ctx.Err() == nil; i++ {
			_, err := db.SQL.ExecContext(ctx, fmt.Sprintf(`WITH a AS (UPDATE mdl_account%d SET amount = amount - 1 WHERE id = 1), b AS (INSERT INTO mdl_account%d (amount) VALUES (2))
				INSERT INTO mdl_account%d (amount) VALUES (-1)`, i%tables, (i+1)%tables, (i+2)%tables))
			if err != nil && ctx.Err() == nil {
				writer <- err
				break
			}
			mu.Lock()
			moves++
			moved.Broadcast()
			mu.Unlock()
		}
		close(writer)
	}()
	more := func(n int) { // waits until the program has made progress
		mu.Lock()
		defer mu.Unlock()
		for until := moves + n; moves < until; {
			moved.Wait()
		}
	}
	more(10)
	inv, err := s.Plan(ctx, stage.PlanRequest{})
	if err != nil {
		t.Fatal(err)
	}
	heaps := make([]heap, len(inv.Units))
	g, gctx := errgroup.WithContext(ctx)
	for i, u := range inv.Units {
		heaps[i].before = func(context.Context) error { more(5); return nil }
		g.Go(func() error { return s.ReadRows(gctx, stage.ReadRequest{Unit: u}, &heaps[i]) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-writer; err != nil {
		t.Fatal(err)
	}
	sum, rows := 0, 0
	for i := range heaps {
		for line := range strings.Lines(heaps[i].data.String()) {
			var id, amount int
			if _, err := fmt.Sscanf(line, "%d\t%d", &id, &amount); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			sum += amount
			rows++
		}
	}
	if sum != 100*tables {
		t.Errorf("the sum over all tables is %d in %d rows, want %d", sum, rows, 100*tables)
	}
	if rows <= tables {
		t.Errorf("%d rows: nothing was moved", rows)
	}
}

// No table is altered or dropped between the snapshot and its reading.
func TestTablesAreLockedAgainstStructuralChanges(t *testing.T) {
	db := servers.Postgres(t)
	execute(t, db.SQL, `CREATE TABLE mdl_a (id int PRIMARY KEY); INSERT INTO mdl_a VALUES (1)`)
	s := newSource(t, db.DSN, nil)
	inv, err := s.Plan(t.Context(), stage.PlanRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{"TRUNCATE mdl_a", "DROP TABLE mdl_a", "ALTER TABLE mdl_a ADD b int"} {
		if _, err := db.SQL.ExecContext(t.Context(), "SET lock_timeout = '50ms'; "+sql); err == nil || !strings.Contains(err.Error(), "lock timeout") {
			t.Errorf("%s: %v", sql, err)
		}
	}
	execute(t, db.SQL, `INSERT INTO mdl_a VALUES (2)`)
	var h heap
	if err := s.ReadRows(t.Context(), stage.ReadRequest{Unit: inv.Units[0]}, &h); err != nil {
		t.Fatal(err)
	}
	if h.data.String() != "1\n" {
		t.Errorf("read %q", h.data.String())
	}
}

// Waiting for an exclusively locked table is limited.
func TestLockedTableIsAClearError(t *testing.T) {
	db := servers.Postgres(t)
	execute(t, db.SQL, `CREATE TABLE mdl_a (id int PRIMARY KEY)`)
	tx, err := db.SQL.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := tx.ExecContext(t.Context(), "LOCK TABLE mdl_a"); err != nil {
		t.Fatal(err)
	}
	s := newSource(t, db.DSN, func(c *Config) { c.LockTimeout = config.Duration(50e6) })
	if _, err := s.Plan(t.Context(), stage.PlanRequest{}); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "another session has locked the table") {
		t.Errorf("got %v", err)
	}
}

// If the server ends a session during the run, the error says so and names what was
// being read or held.
func TestLostConnectionIsAClearError(t *testing.T) {
	db := servers.Postgres(t)
	execute(t, db.SQL, `CREATE TABLE mdl_a (id int PRIMARY KEY, v text); CREATE TABLE mdl_b (id int PRIMARY KEY);
		INSERT INTO mdl_a SELECT n, repeat('x', 1000) FROM generate_series(1, 40000) n`)
	for of, want := range map[string]string{"worker": `reading table "public"."mdl_a": connection lost`, "holder": "the session that holds the snapshot and the locks on all tables was lost"} {
		s := newSource(t, db.DSN, nil)
		inv, err := s.Plan(t.Context(), stage.PlanRequest{})
		if err != nil {
			t.Fatal(err)
		}
		pid := s.holder.conn.PgConn().PID()
		kill := func(ctx context.Context) error {
			_, err := db.SQL.ExecContext(ctx, `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'vault' AND (pid = $1) = $2`, pid, of == "holder")
			return err
		}
		err = s.ReadRows(t.Context(), stage.ReadRequest{Unit: inv.Units[0]}, &heap{before: kill})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", of, err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestExclusionsAreReported(t *testing.T) {
	db := servers.Postgres(t)
	execute(t, db.SQL, `CREATE TABLE mdl_user (id int); CREATE TABLE mdl_logstore_a (id int); CREATE TABLE mdl_logstore_b (id int); CREATE TABLE "mdl_log[s]" (id int); CREATE TABLE mdl_sessions (id int);
		CREATE TABLE blog_post (id int); CREATE TABLE shop (id int)`)
	s := newSource(t, db.DSN, nil)
	inv, err := s.Plan(t.Context(), stage.PlanRequest{Selection: selection.Selection{ExcludeTables: []string{"logstore_*", "logstore_a", "log[s]", "nothing*"}}})
	if err != nil {
		t.Fatal(err)
	}
	var names, noted []string
	for _, table := range inv.Tables {
		names = append(names, table.Schema.Name)
	}
	for _, n := range inv.Notes {
		noted = append(noted, n.Path+" "+n.Text)
	}
	if !slices.Equal(names, []string{"sessions", "user"}) {
		t.Errorf("tables %q", names)
	}
	want := []string{`db skipped 2 tables of schema public that do not begin with prefix "mdl_": blog_post, shop`}
	if !slices.Equal(noted, want) {
		t.Errorf("notes %q", noted)
	}
	if want := []selection.Excluded{{Path: "db/log[s]", Pattern: "log[s]"}, {Path: "db/logstore_a", Pattern: "logstore_*"}, {Path: "db/logstore_b", Pattern: "logstore_*"}}; !slices.Equal(inv.Excluded, want) {
		t.Errorf("excluded %q", inv.Excluded)
	}
}

// An empty prefix includes every table of the schema except those of another site.
func TestEmptyPrefix(t *testing.T) {
	db := servers.Postgres(t)
	execute(t, db.SQL, `CREATE SCHEMA moodle; CREATE TABLE moodle.config (id int); CREATE TABLE moodle.config_plugins (id int); CREATE TABLE moodle.course (id int); CREATE TABLE moodle.user (id int); CREATE TABLE public.other (id int);
		CREATE TABLE moodle.m_config (id int); CREATE TABLE moodle.m_config_plugins (id int); CREATE TABLE moodle.m_course (id int); CREATE TABLE moodle.m_user (id int)`)
	s := newSource(t, db.DSN, func(c *Config) { c.Prefix, c.Schema = "", "moodle" })
	inv, err := s.Plan(t.Context(), stage.PlanRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if len(inv.Tables) != 4 || inv.Tables[0].Schema.Name != "config" || inv.Tables[3].Schema.Name != "user" {
		t.Errorf("tables %+v", inv.Tables)
	}
}

// user creates a role without privileges that is dropped when the test ends.
func user(t *testing.T, db servers.Database) (name, dsn string) {
	t.Helper()
	name = "vt_" + strings.ToLower(rand.Text())
	execute(t, db.SQL, "CREATE ROLE "+name+" LOGIN PASSWORD 'sesame'")
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
	return name, u.String()
}

// Each missing privilege is an error that names what may not be read and what to
// grant.
func TestMissingPrivilegesAreNamed(t *testing.T) {
	db := servers.Postgres(t)
	execute(t, db.SQL, `CREATE TABLE mdl_a (id serial PRIMARY KEY); CREATE TABLE mdl_b (id int PRIMARY KEY); INSERT INTO mdl_b VALUES (1)`)
	name, dsn := user(t, db)
	for _, step := range []struct{ grant, want string }{
		{"", `may not read 2 tables: "public"."mdl_a", "public"."mdl_b"`},
		{"GRANT SELECT ON mdl_a TO " + name, `may not read 1 tables: "public"."mdl_b"`},
		{"GRANT SELECT ON mdl_b TO " + name, `may not read the sequences public.mdl_a_id_seq`},
		{"GRANT SELECT ON SEQUENCE mdl_a_id_seq TO " + name + "; ALTER TABLE mdl_b ENABLE ROW LEVEL SECURITY", `row-level security may hide rows of 1 tables`},
		{"ALTER TABLE mdl_b DISABLE ROW LEVEL SECURITY", ""},
	} {
		if step.grant != "" {
			execute(t, db.SQL, step.grant)
		}
		s := newSource(t, dsn, nil)
		_, err := s.Plan(t.Context(), stage.PlanRequest{})
		switch {
		case step.want == "" && err != nil:
			t.Errorf("with all rights: %v", err)
		case step.want != "" && (failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), step.want)):
			t.Errorf("got %v, want %q", err, step.want)
		case err != nil && strings.Contains(err.Error(), "sesame"):
			t.Errorf("the error contains the password: %v", err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestNothingToReadIsAClearError(t *testing.T) {
	db := servers.Postgres(t)
	execute(t, db.SQL, `CREATE TABLE old_user (id int)`)
	for want, change := range map[string]func(*Config){
		`skipped 1 tables of schema public that do not begin with prefix "mdl_"`: nil,
		`the database has no schema "nowhere"`:                                   func(c *Config) { c.Schema = "nowhere" },
	} {
		if _, err := newSource(t, db.DSN, change).Plan(t.Context(), stage.PlanRequest{}); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	all := stage.PlanRequest{Selection: selection.Selection{ExcludeTables: []string{"*"}}}
	if _, err := newSource(t, db.DSN, func(c *Config) { c.Prefix = "old_" }).Plan(t.Context(), all); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "the selection excludes all tables") {
		t.Errorf("with all tables excluded: %v", err)
	}
}

// A cancelled Read ends soon and leaves nothing behind that Close would wait for.
func TestCancelledReadEnds(t *testing.T) {
	db := servers.Postgres(t)
	execute(t, db.SQL, `CREATE TABLE mdl_a (id int PRIMARY KEY, v text); INSERT INTO mdl_a SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) i`)
	s := newSource(t, db.DSN, nil)
	inv, err := s.Plan(t.Context(), stage.PlanRequest{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = s.ReadRows(ctx, stage.ReadRequest{Unit: inv.Units[0]}, &stopping{cancel: cancel})
	if failure.Of(err) != failure.Interrupted {
		t.Errorf("got %v", err)
	}
}

type stopping struct {
	heap
	cancel context.CancelFunc
}

func (s *stopping) Write(ctx context.Context, _ stage.Chunk) error {
	s.cancel()
	<-ctx.Done()
	return ctx.Err()
}

// A key WITHOUT OVERLAPS (PostgreSQL 18) is a loss: in the catalog it is a constraint
// p or u with an exclusion index, which the test creates on older servers.
func TestKeysWithoutOverlapsAreLost(t *testing.T) {
	db := servers.Postgres(t)
	execute(t, db.SQL, `CREATE TABLE mdl_a (id int PRIMARY KEY, r int4range, EXCLUDE USING gist (r WITH &&)); CREATE TABLE mdl_b (r int4range, CONSTRAINT mdl_b_r EXCLUDE USING gist (r WITH &&));
		UPDATE pg_constraint SET contype = 'u' WHERE conname = 'mdl_b_r'`)
	inv, err := newSource(t, db.DSN, nil).Plan(t.Context(), stage.PlanRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range inv.Losses {
		reason, _, _ := strings.Cut(l.Reason, ":")
		got = append(got, fmt.Sprint(l.Kind, " ", l.Path, " ", l.Where, " ", reason))
	}
	slices.Sort(got)
	want := []string{"constraint db/a constraint mdl_a_r_excl exclusion constraints are not transferred", "constraint db/b constraint mdl_b_r keys WITHOUT OVERLAPS are not transferred"}
	if !slices.Equal(got, want) {
		t.Errorf("losses %q, want %q", got, want)
	}
}

// A primary key may include a column that is not transferred: the key is kept without
// it.
func TestPrimaryKeyIsKeptIfIncludedColumnIsLost(t *testing.T) {
	db := servers.Postgres(t)
	execute(t, db.SQL, `CREATE TABLE mdl_a (id int, n int, g int GENERATED ALWAYS AS (n + 1) STORED, PRIMARY KEY (id) INCLUDE (n, g))`)
	inv, err := newSource(t, db.DSN, nil).Plan(t.Context(), stage.PlanRequest{})
	if err != nil {
		t.Fatal(err)
	}
	got := inv.Tables[0].Schema
	if !slices.Equal(got.PrimaryKey, []string{"id"}) || got.PrimaryKeyIndex == nil || !slices.Equal(got.PrimaryKeyIndex.Include, []string{"n"}) {
		t.Errorf("the key is %q %+v", got.PrimaryKey, got.PrimaryKeyIndex)
	}
	if !slices.ContainsFunc(inv.Losses, func(l stage.Loss) bool { return l.Kind == stage.LossIndex && l.Where == "index mdl_a_pkey" }) {
		t.Errorf("losses %+v", inv.Losses)
	}
}

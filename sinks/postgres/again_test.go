package postgres_test

import (
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/run"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/faultproxy"
	"github.com/lmsvault/vault/internal/isolated"
	"github.com/lmsvault/vault/internal/servers"
	sink "github.com/lmsvault/vault/sinks/postgres"
	source "github.com/lmsvault/vault/sources/postgres"
)

// Whatever ends a session while rows are loaded, the run succeeds with each row once,
// and notes the retry.
func TestUnitsAreRetriedWithoutDuplicates(t *testing.T) {
	for _, how := range []stage.Replace{stage.ReplaceNothing, stage.ReplaceSwap} {
		for _, c := range []struct {
			name  string
			fate  faultproxy.Fate
			at    string
			kills bool // the administrator ends the session at this statement
		}{
			{"killed before rows come", faultproxy.Pass, "COPY ", true},
			{"killed with rows loaded", faultproxy.Pass, "RELEASE SAVEPOINT", true},
			{"killed before COMMIT", faultproxy.Pass, "COMMIT", true},
			{"cut while it begins", faultproxy.Withhold, "SAVEPOINT", false},
			{"cut before COMMIT", faultproxy.Withhold, "COMMIT", false},
			{"the answer to COMMIT lost", faultproxy.CarryOut, "COMMIT", false},
			{"COMMIT carried out after the unit began again", faultproxy.CarryOutLate, "COMMIT", false},
		} {
			t.Run(fmt.Sprintf("%s %s", how, c.name), func(t *testing.T) {
				t.Parallel()
				from, to := servers.Postgres(t), servers.Postgres(t)
				execute(t, from.SQL, loaded)
				if how != stage.ReplaceNothing {
					execute(t, to.SQL, "CREATE TABLE mdl_log (id int); INSERT INTO mdl_log VALUES (5)")
				}
				decide, done := once(c.at, func() faultproxy.Fate {
					if c.kills {
						endSessions(t, to.SQL, "backend_xid IS NOT NULL OR state = 'idle in transaction'")
					}
					return c.fate
				})
				r, err := move(t, from.DSN, faultproxy.Postgres(t, to.DSN, decide), how)
				if err != nil || !done() {
					t.Fatalf("lost: %t; the run returned %v", done(), err)
				}
				wantAgain(t, r)
				same(t, "the target", contents(t, from.SQL), contents(t, to.SQL))
			})
		}
	}
}

const loaded = `CREATE TABLE mdl_log (id serial PRIMARY KEY, x varchar(200)); CREATE INDEX mdl_log_x ON mdl_log (x);
	INSERT INTO mdl_log (x) SELECT repeat(chr(97 + n % 26), 200) FROM generate_series(1, 900) n;
	CREATE TABLE mdl_bag (x int); INSERT INTO mdl_bag SELECT id % 7 FROM mdl_log`

// A session of the source that ends while it reads is reopened and sees the same
// snapshot, whatever changed since.
func TestUnitsAreRereadFromSameSnapshot(t *testing.T) {
	t.Parallel()
	from, to := servers.Postgres(t), servers.Postgres(t)
	execute(t, from.SQL, `CREATE TABLE mdl_log (id serial PRIMARY KEY, x text); INSERT INTO mdl_log (x) SELECT repeat('x', 1000) FROM generate_series(1, 20000)`)
	before := contents(t, from.SQL)
	decide, done := once("RELEASE SAVEPOINT", func() faultproxy.Fate { // the first chunk is loaded and the reader is working
		execute(t, from.SQL, `DELETE FROM mdl_log WHERE id % 2 = 0; UPDATE mdl_log SET x = 'y'; INSERT INTO mdl_log (x) VALUES ('new')`)
		endSessions(t, from.SQL, "query LIKE 'COPY %' AND state = 'active'")
		return faultproxy.Pass
	})
	r, err := move(t, from.DSN, faultproxy.Postgres(t, to.DSN, decide), stage.ReplaceNothing)
	if err != nil || !done() {
		t.Fatalf("session ended: %t; the run returned %v", done(), err)
	}
	wantAgain(t, r)
	same(t, "the target", before, contents(t, to.SQL))
}

// A session of the source that ends while it counts is also reopened.
func TestTablesAreRecounted(t *testing.T) {
	t.Parallel()
	from, to := servers.Postgres(t), servers.Postgres(t)
	execute(t, from.SQL, loaded)
	decide, done := once("SELECT count(*) FROM", func() faultproxy.Fate { return faultproxy.Withhold })
	r, err := move(t, faultproxy.Postgres(t, from.DSN, decide), to.DSN, stage.ReplaceNothing)
	if err != nil || !done() {
		t.Fatalf("lost: %t; the run returned %v", done(), err)
	}
	wantAgain(t, r)
	same(t, "the target", contents(t, from.SQL), contents(t, to.SQL))
}

// Without the session that holds the snapshot nothing more can be read from it: the
// run ends immediately and says so.
func TestLostSnapshotEndsTheRun(t *testing.T) {
	t.Parallel()
	from, to := servers.Postgres(t), servers.Postgres(t)
	execute(t, from.SQL, loaded)
	attempts := 0
	decide := func(statement string) faultproxy.Fate {
		if strings.HasPrefix(statement, "RELEASE SAVEPOINT") {
			if attempts++; attempts == 1 {
				endSessions(t, from.SQL, "pid = (SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'vault' ORDER BY backend_start LIMIT 1)")
			}
		}
		return faultproxy.Pass
	}
	_, err := move(t, from.DSN, faultproxy.Postgres(t, to.DSN, decide), stage.ReplaceNothing)
	if err == nil || !strings.Contains(err.Error(), "the session that holds the snapshot and the locks on all tables was lost") || !strings.Contains(err.Error(), "run again") {
		t.Errorf("the run returned %v", err)
	}
	if attempts != 1 {
		t.Errorf("the unit was loaded %d times", attempts)
	}
}

// The session that holds the lock on the target is idle while rows are loaded. If it
// is lost, another one takes the lock.
func TestTargetLockIsRegained(t *testing.T) {
	for _, how := range []stage.Replace{stage.ReplaceNothing, stage.ReplaceSwap} {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			from, to := servers.Postgres(t), servers.Postgres(t)
			execute(t, from.SQL, loaded)
			decide, done := once("COMMIT", func() faultproxy.Fate {
				endSessions(t, to.SQL, "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock')")
				return faultproxy.Pass
			})
			if _, err := move(t, from.DSN, faultproxy.Postgres(t, to.DSN, decide), how); err != nil || !done() {
				t.Fatalf("lost: %t; the run returned %v", done(), err)
			}
			same(t, "the target", contents(t, from.SQL), contents(t, to.SQL))
		})
	}
}

// If a session is lost while the target is read back, only that read is repeated.
func TestTargetReadBackIsRetried(t *testing.T) {
	for _, fate := range []faultproxy.Fate{faultproxy.Withhold, faultproxy.CarryOut} {
		t.Run(fmt.Sprint(fate), func(t *testing.T) {
			t.Parallel()
			from, to := servers.Postgres(t), servers.Postgres(t)
			execute(t, from.SQL, loaded)
			var lost atomic.Bool
			dsn := faultproxy.Postgres(t, to.DSN, func(statement string) faultproxy.Fate {
				if strings.HasPrefix(statement, "COPY ") && strings.HasSuffix(statement, "TO STDOUT") && !lost.Swap(true) {
					return fate
				}
				return faultproxy.Pass
			})
			if _, err := move(t, from.DSN, dsn, stage.ReplaceSwap); err != nil || !lost.Load() {
				t.Fatalf("it was lost: %t; the run ends with %v", lost.Load(), err)
			}
			same(t, "the target", contents(t, from.SQL), contents(t, to.SQL))
		})
	}
}

// endSessions ends the sessions of Vault that match a condition on pg_stat_activity,
// and waits until they are gone.
func endSessions(t testing.TB, db *sql.DB, which string) {
	var n int
	err := db.QueryRowContext(t.Context(), `SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = 'vault' AND (`+which+`)`).Scan(&n)
	if err != nil || n == 0 {
		t.Errorf("%d sessions were ended: %v", n, err)
	}
}

// once decides the fate of the first statement that begins with begins.
func once(begins string, fate func() faultproxy.Fate) (decide func(string) faultproxy.Fate, done func() bool) {
	var mu sync.Mutex
	did := false
	decide = func(statement string) faultproxy.Fate {
		mu.Lock()
		defer mu.Unlock()
		if did || !strings.HasPrefix(statement, begins) {
			return faultproxy.Pass
		}
		did = true
		return fate()
	}
	return decide, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return did
	}
}

// wantAgain requires exactly one note of a second attempt.
func wantAgain(t *testing.T, r *run.Result) {
	t.Helper()
	notes := 0
	for _, n := range r.Notes {
		if strings.Contains(n.Text, "attempt 1 failed") {
			notes++
		}
	}
	if notes != 1 {
		t.Errorf("%d notes of a second attempt: %v", notes, r.Notes)
	}
}

// move moves a site as the engine does, with one worker.
func move(t testing.TB, from, to string, how stage.Replace) (*run.Result, error) {
	t.Helper()
	env := stage.Env{Workers: 1, TempDir: t.TempDir(), Log: slog.New(slog.DiscardHandler)}
	in, out := source.Config{Connection: where(from)}, sink.Config{Connection: where(to)}
	for _, c := range []any{&in, &out} {
		if err := config.Defaults(c); err != nil {
			t.Fatal(err)
		}
	}
	reads, err := source.Stage().NewSource(t.Context(), &in, env)
	if err != nil {
		t.Fatal(err)
	}
	made := isolated.Stage(t, sink.Stage())
	writes, err := made.NewSink(t.Context(), &out, env)
	if err != nil {
		t.Fatal(err)
	}
	j := &run.Job{
		Name: "move", Workers: 1, TempDir: env.TempDir, Reporter: progress.Silent{},
		Origins: []run.Origin{{Name: "postgres", Source: reads, Database: true}},
		Targets: []*run.Target{{Name: "postgres", Sink: writes, Parts: made.Parts, Dialect: made.Dialect, Replace: how}},
	}
	r, err := j.Run(t.Context())
	if err := j.Close(t.Context()); err != nil {
		t.Error(err)
	}
	return r, err
}

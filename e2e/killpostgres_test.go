package e2e

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lmsvault/vault/internal/faultproxy"
	"github.com/lmsvault/vault/internal/pgtest"
	"github.com/lmsvault/vault/internal/servers"
)

// A restore that replaces a site in PostgreSQL is killed at 50 points, from its first
// statement to its last. Each time the schema holds exactly the old site or exactly
// the new one, and the next run succeeds and removes everything else.
func TestKilledPostgresSwapLeavesOldOrNewSite(t *testing.T) {
	t.Parallel()
	const rounds = 50
	sites := [2]string{at(t).dir, at(t).dir}
	other := sqliteAt(t, filepath.Join(sites[1], "site.sqlite"))
	for _, statement := range []string{"UPDATE mdl_course SET fullname = 'Other'", "DELETE FROM mdl_logstore_standard_log WHERE id % 2 = 0", "CREATE TABLE mdl_extra (id INTEGER PRIMARY KEY, x TEXT)", "INSERT INTO mdl_extra VALUES (1, 'x')"} {
		if _, err := other.SQL.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	k := &pgKiller{}
	db := servers.Postgres(t)
	db.SQL.SetMaxOpenConns(1)
	env := []string{"TO=" + faultproxy.Postgres(t, db.DSN, k.decide)}
	restore := func(site int) string {
		return pipelineFile(t, fmt.Sprintf("version: 1\nsource: [{use: sqlite, with: {path: %s/site.sqlite}}]\nsink: [{use: postgres, with: {dsn: \"${env:TO}\", replace: true, replace_other_site: true}}]\n", sites[site]))
	}
	var want [2][]string
	for site := range want {
		k.arm(nil, -1, "", false)
		must(t, env, "run", restore(site))
		var beside []string
		if want[site], beside = pgtest.Contents(t, db.SQL); len(beside) > 0 {
			t.Fatalf("a complete run leaves %q", beside)
		}
	}
	if slices.Equal(want[0], want[1]) {
		t.Fatal("the sites don't differ")
	}
	statements, commits := k.asked()
	rng := rand.New(rand.NewPCG(50, 2))
	is, killed, done := 1, 0, 0
	for round := range rounds {
		moment, begins := 1+(round*statements+rng.IntN(statements))/rounds, ""
		switch round % 10 { // the exchange is short, so some rounds hit it on purpose
		case 6, 7:
			moment, begins = commits, "COMMIT"
		case 8:
			moment, begins = 1, `DROP TABLE "public"."vault_old_`
		}
		run, kill := killable(t, command(t, env, "run", restore(1-is)))
		k.arm(kill, moment, begins, round%2 == 0)
		err := run()
		if err != nil && !k.fired() {
			t.Fatalf("round %d: a run after a killed one fails: %v", round, err)
		}
		if k.fired() {
			killed++
		}
		aloneInPostgres(t, db.SQL)
		now, _ := pgtest.Contents(t, db.SQL)
		switch {
		case slices.Equal(now, want[is]):
		case slices.Equal(now, want[1-is]):
			is, done = 1-is, done+1
		default:
			t.Fatalf("round %d, killed at statement %d %s: the schema holds neither site:\n%s", round, moment, begins, strings.Join(now, "\n"))
		}
		if round%5 == 4 {
			k.arm(nil, -1, "", false)
			must(t, env, "run", restore(1-is))
			is = 1 - is
			if now, beside := pgtest.Contents(t, db.SQL); !slices.Equal(now, want[is]) || len(beside) > 0 {
				t.Fatalf("round %d: the next run leaves %q and\n%s", round, beside, strings.Join(now, "\n"))
			}
		}
	}
	t.Logf("%d runs were killed, %d of them after the exchange; a run has %d statements", killed, done, statements)
	if killed < rounds*4/5 || done == 0 || done == killed {
		t.Errorf("%d of %d runs were killed while they worked, %d after the exchange", killed, rounds, done)
	}
}

// pgKiller kills a program at a chosen statement.
type pgKiller struct {
	mu            sync.Mutex
	kill          func()
	left          int
	begins        string
	withhold      bool // the server does not receive that statement
	seen, commits int
	shot          bool
}

// arm sets the statement at which to kill: the n-th that begins with the text, or
// none if n is -1.
func (k *pgKiller) arm(kill func(), n int, begins string, withhold bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kill, k.left, k.begins, k.withhold = kill, n, begins, withhold
	k.seen, k.commits, k.shot = 0, 0, false
}

// asked returns the number of statements, and how many of them were a COMMIT.
func (k *pgKiller) asked() (statements, commits int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.seen, k.commits
}

func (k *pgKiller) fired() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.shot
}

func (k *pgKiller) decide(statement string) faultproxy.Fate {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen++
	if statement == "COMMIT" {
		k.commits++
	}
	if k.shot || k.left < 0 || !strings.HasPrefix(statement, k.begins) {
		return faultproxy.Pass
	}
	if k.left--; k.left > 0 {
		return faultproxy.Pass
	}
	k.shot = true
	k.kill()
	if k.withhold {
		return faultproxy.Withhold
	}
	return faultproxy.Pass
}

// aloneInPostgres waits until db's connection is the only one, so that the server has
// finished all statements of killed programs.
func aloneInPostgres(t testing.TB, db *sql.DB) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		var others int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()").Scan(&others); err != nil {
			t.Fatal(err)
		}
		if others == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d connections of the killed program are still there", others)
		}
	}
}

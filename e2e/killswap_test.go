package e2e

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lmsvault/vault/internal/faultproxy"
	"github.com/lmsvault/vault/internal/servers"
)

// A restore that replaces a site is killed at 50 points, from its first statement to
// its last. Each time the database holds exactly the old site or exactly the new one,
// and the next run succeeds and removes everything else.
func TestKilledSwapLeavesOldOrNewSite(t *testing.T) {
	const rounds = 50
	sites := [2]string{at(t).dir, at(t).dir}
	other := sqliteAt(t, filepath.Join(sites[1], "site.sqlite"))
	for _, statement := range []string{"UPDATE mdl_course SET fullname = 'Other'", "DELETE FROM mdl_logstore_standard_log WHERE id % 2 = 0", "CREATE TABLE mdl_extra (id INTEGER PRIMARY KEY, x TEXT)", "INSERT INTO mdl_extra VALUES (1, 'x')"} {
		if _, err := other.SQL.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for name, make := range map[string]func(testing.TB) servers.Database{"mariadb": servers.MariaDB, "mysql": servers.MySQL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := &killer{}
			db := make(t)
			db.SQL.SetMaxOpenConns(1)
			env := []string{"TO=" + faultproxy.MySQL(t, db.DSN, k.decide)}
			restore := func(site int) string {
				return pipelineFile(t, fmt.Sprintf("version: 1\nsource: [{use: sqlite, with: {path: %s/site.sqlite}}]\nsink: [{use: mysql, with: {dsn: \"${env:TO}\", replace: true, replace_other_site: true}}]\n", sites[site]))
			}
			var want [2]string
			for site := range want {
				k.arm(nil, -1, "")
				must(t, env, "run", restore(site))
				var beside []string
				if want[site], beside = held(t, db.SQL); len(beside) > 0 {
					t.Fatalf("a complete run leaves %q", beside)
				}
			}
			if want[0] == want[1] {
				t.Fatal("the sites don't differ")
			}
			statements := k.asked()
			rng := rand.New(rand.NewPCG(50, 1))
			is, killed, done := 1, 0, 0
			for round := range rounds {
				moment, begins := 1+(round*statements+rng.IntN(statements))/rounds, ""
				switch round % 10 { // the exchange is short, so some rounds hit it on purpose
				case 8:
					moment, begins = 1, "RENAME TABLE"
				case 9:
					moment, begins = 2, "DROP TABLE IF EXISTS" // of the old site; the first drops what the previous round left
				}
				run, kill := killable(t, command(t, env, "run", restore(1-is)))
				k.arm(kill, moment, begins)
				k.lose(round/10%2 == round%2)
				err := run()
				if err != nil && !k.fired() {
					t.Fatalf("round %d: a run after a killed one fails: %v", round, err)
				}
				if k.fired() {
					killed++
				}
				alone(t, db.SQL)
				now, _ := held(t, db.SQL)
				switch now {
				case want[is]:
				case want[1-is]:
					is, done = 1-is, done+1
				default:
					t.Fatalf("round %d, killed at statement %d %s: the database holds neither site:\n%s", round, moment, begins, now)
				}
				if round%5 == 4 {
					k.arm(nil, -1, "")
					must(t, env, "run", restore(1-is))
					is = 1 - is
					if now, beside := held(t, db.SQL); now != want[is] || len(beside) > 0 {
						t.Fatalf("round %d: the next run leaves %q and\n%s", round, beside, now)
					}
				}
			}
			t.Logf("%d runs were killed, %d of them after the exchange; a run has %d statements", killed, done, statements)
			if killed < rounds*4/5 || done == 0 || done == killed {
				t.Errorf("%d of %d runs were killed while they worked, %d after the exchange", killed, rounds, done)
			}
		})
	}
}

// killer kills a program at a chosen statement.
type killer struct {
	mu     sync.Mutex
	kill   func()
	left   int
	begins string
	seen   int
	shot   bool
	loses  atomic.Bool // the server does not receive that statement
}

// arm sets the statement at which to kill: the n-th that begins with the text, or
// none if n is -1.
func (k *killer) arm(kill func(), n int, begins string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kill, k.left, k.begins, k.seen, k.shot = kill, n, begins, 0, false
}

func (k *killer) lose(yes bool) { k.loses.Store(yes) }

func (k *killer) asked() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.seen
}

func (k *killer) fired() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.shot
}

func (k *killer) decide(statement string) faultproxy.Fate {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen++
	if k.shot || k.left < 0 || !strings.HasPrefix(statement, k.begins) {
		return faultproxy.Pass
	}
	if k.left--; k.left > 0 {
		return faultproxy.Pass
	}
	k.shot = true
	k.kill()
	if k.loses.Load() {
		return faultproxy.Withhold
	}
	return faultproxy.Pass
}

// alone waits until db's connection is the only one, so that the server has finished
// all statements of killed programs.
func alone(t testing.TB, db *sql.DB) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		others, err := servers.Connections(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		if len(others) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the killed program is still connected: %d", others)
		}
	}
}

var besideName = regexp.MustCompile(`^mdl_vault_(new|old)_[0-9_]+$`)

// held describes everything in a database by the server's own checksums and
// definitions, and lists objects beside the site separately.
func held(t testing.TB, db *sql.DB) (site string, beside []string) {
	t.Helper()
	var names []string
	var name, text string
	found, err := db.QueryContext(t.Context(), "SHOW TABLES")
	if err != nil {
		t.Fatal(err)
	}
	for found.Next() {
		if err := found.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if besideName.MatchString(name) {
			beside = append(beside, name)
		} else {
			names = append(names, name)
		}
	}
	if err := errors.Join(found.Err(), found.Close()); err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, table := range names {
		var sum sql.NullString
		if err := db.QueryRowContext(t.Context(), "CHECKSUM TABLE `"+table+"` EXTENDED").Scan(&name, &sum); err != nil {
			t.Fatal(err)
		}
		if err := db.QueryRowContext(t.Context(), "SHOW CREATE TABLE `"+table+"`").Scan(&name, &text); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s %s\n", table, sum.String, text)
	}
	return b.String(), beside
}

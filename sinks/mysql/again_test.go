package mysql

import (
	"fmt"
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
	source "github.com/lmsvault/vault/sources/mysql"
)

// Whatever ends a connection while rows are loaded, the run succeeds with each row
// once, and notes the retry.
func TestUnitsAreRetriedWithoutDuplicates(t *testing.T) {
	for _, engine := range engines {
		for _, load := range []string{loadLocal, loadInsert} {
			rows := "LOAD DATA"
			if load == loadInsert {
				rows = "INSERT INTO `mdl_vault_new_"
			}
			for name, connect := range map[string]func(t testing.TB, db servers.Database) (dsn string, done func() bool){
				"killed by the server": func(t testing.TB, db servers.Database) (string, func() bool) { return killing(t, db, rows) },
				"cut before COMMIT": func(t testing.TB, db servers.Database) (string, func() bool) {
					decide, done := once(faultproxy.Withhold, "COMMIT")
					return faultproxy.MySQL(t, db.DSN, decide), done
				},
				"the answer to COMMIT lost": func(t testing.TB, db servers.Database) (string, func() bool) {
					decide, done := once(faultproxy.CarryOut, "COMMIT")
					return faultproxy.MySQL(t, db.DSN, decide), done
				},
				"COMMIT carried out after the unit began again": func(t testing.TB, db servers.Database) (string, func() bool) {
					decide, done := once(faultproxy.CarryOutLate, "COMMIT")
					return faultproxy.MySQL(t, db.DSN, decide), done
				},
			} {
				t.Run(fmt.Sprint(engine.name, " ", load, " ", name), func(t *testing.T) {
					t.Parallel()
					from, to := engine.make(t), engine.make(t)
					exec(t, from, "CREATE TABLE mdl_log (id int PRIMARY KEY AUTO_INCREMENT, x varchar(200), KEY x (x))", "CREATE TABLE mdl_bag (x int)",
						"INSERT INTO mdl_log (x) WITH RECURSIVE n AS (SELECT 1 AS k UNION ALL SELECT k + 1 FROM n WHERE k < 900) SELECT REPEAT(char(97 + k % 26), 200) FROM n",
						"INSERT INTO mdl_bag SELECT id % 7 FROM mdl_log")
					dsn, done := connect(t, to)
					r, err := move(t, from, dsn, load)
					if err != nil || !done() {
						t.Fatalf("the connection was cut: %t; the run ends with %v", done(), err)
					}
					notes := 0
					for _, n := range r.Notes {
						if strings.Contains(n.Text, "attempt 1 failed") {
							notes++
						}
					}
					if notes != 1 {
						t.Errorf("%d notes of a second attempt: %v", notes, r.Notes)
					}
					for _, table := range []string{"mdl_log", "mdl_bag"} {
						if a, b := one(t, from, "CHECKSUM TABLE "+table), one(t, to, "CHECKSUM TABLE "+table); a != b {
							t.Errorf("%s: checksum %s, want %s", table, b, a)
						}
						if n := one(t, to, "SELECT COUNT(*) FROM "+table); n != "900" {
							t.Errorf("%s has %s rows", table, n)
						}
					}
				})
			}
		}
	}
}

// killing returns the DSN of a database whose administrator kills the connection that
// loads the first rows, after a statement that begins with rows.
func killing(t testing.TB, db servers.Database, rows string) (dsn string, done func() bool) {
	var loading, killed atomic.Uint32 // numbers of connections
	dsn = faultproxy.MySQLConnections(t, db.DSN, func(connection uint32, statement string) faultproxy.Fate {
		switch {
		case strings.HasPrefix(statement, rows):
			loading.CompareAndSwap(0, connection)
		case loading.Load() == connection && (strings.HasPrefix(statement, "COMMIT") || strings.HasPrefix(statement, "SELECT @@warning")):
			if killed.CompareAndSwap(0, connection) {
				if _, err := db.SQL.ExecContext(t.Context(), fmt.Sprint("KILL ", connection)); err != nil {
					t.Errorf("killing connection %d: %v", connection, err)
				}
			}
		}
		return faultproxy.Pass
	})
	return dsn, func() bool { return killed.Load() != 0 }
}

// move moves a site to an empty database.
func move(t testing.TB, from servers.Database, dsn, load string) (*run.Result, error) {
	t.Helper()
	env := stage.Env{Workers: 1, TempDir: t.TempDir()}
	out := isolated.Stage(t, Stage())
	in, err := source.Stage().NewSource(t.Context(), &source.Config{DSN: config.NewSecret(from.DSN), Prefix: "mdl_", LockTimeout: config.Duration(1e10)}, env)
	if err != nil {
		t.Fatal(err)
	}
	to, err := out.NewSink(t.Context(), &Config{DSN: config.NewSecret(dsn), Prefix: "mdl_", Load: load}, env)
	if err != nil {
		t.Fatal(err)
	}
	j := &run.Job{
		Name: "move", Workers: 1, TempDir: env.TempDir, Reporter: progress.Silent{},
		Origins: []run.Origin{{Name: "mysql", Source: in, Database: true}},
		Targets: []*run.Target{{Name: "mysql", Sink: to, Parts: out.Parts, Dialect: out.Dialect}},
	}
	r, err := j.Run(t.Context())
	if err := j.Close(t.Context()); err != nil {
		t.Error(err)
	}
	return r, err
}

// once decides the fate of the first statement that begins with one of these texts.
func once(does faultproxy.Fate, begins ...string) (decide func(string) faultproxy.Fate, done func() bool) {
	var mu sync.Mutex
	did := false
	decide = func(statement string) faultproxy.Fate {
		mu.Lock()
		defer mu.Unlock()
		for _, begin := range begins {
			if !did && strings.HasPrefix(statement, begin) {
				did = true
				return does
			}
		}
		return faultproxy.Pass
	}
	return decide, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return did
	}
}

package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/servers"
)

// Only tables with exactly the prefix belong to the site; "_" is not a wildcard,
// other sites in the database are ignored, and the prefix may be empty.
func TestPrefixIsExact(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			db := engine.make(t)
			for _, name := range []string{"mdl_user", "mdl_config", "mdl_config_plugins", "mdl_course", "mdl_a-b c", "mdl_old_config", "mdl_old_config_plugins", "mdl_old_course", "mdl_old_user", "mdl_old_x", "mdlxuser", "MDL_upper", "mdl", "user", "config", "config_plugins", "course"} {
				exec(t, db, "CREATE TABLE `"+name+"` (id int PRIMARY KEY)")
			}
			inv := plan(t, open(t, db.DSN, nil))
			if got, want := tableNames(inv), []string{"a-b c", "config", "config_plugins", "course", "user"}; !slices.Equal(got, want) {
				t.Errorf("tables %q, want %q", got, want)
			}
			if text := fmt.Sprint(inv.Notes); !strings.Contains(text, "mdl_old_x") || !strings.Contains(text, "mdlxuser") {
				t.Errorf("the other tables are not noted: %s", text)
			}
			if got := tableNames(plan(t, open(t, db.DSN, func(c *Config) { c.Prefix = "mdl_old_" }))); !slices.Equal(got, []string{"config", "config_plugins", "course", "user", "x"}) {
				t.Errorf("tables of the other site: %q", got)
			}
			if got := tableNames(plan(t, open(t, db.DSN, func(c *Config) { c.Prefix = "" }))); !slices.Equal(got, []string{"MDL_upper", "config", "config_plugins", "course", "mdl", "mdlxuser", "user"}) { // mdl_ is another site
				t.Errorf("without a prefix: %q", got)
			}
			inv = planSelected(t, open(t, db.DSN, nil), selection.Selection{ExcludeTables: []string{"config*", "u?er"}})
			if got, want := tableNames(inv), []string{"a-b c", "course", "user"}; !slices.Equal(got, want) || len(inv.Units) != 3 {
				t.Errorf("with exclusions %q, want %q", got, want)
			}
			if want := []selection.Excluded{{Path: "db/config", Pattern: "config*"}, {Path: "db/config_plugins", Pattern: "config*"}}; !slices.Equal(inv.Excluded, want) {
				t.Errorf("excluded %q, want %q", inv.Excluded, want)
			}
		})
	}
}

// What cannot be transferred is listed with its kind.
func TestUnsupportedObjectsAreListed(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			db := engine.make(t)
			exec(t, db,
				"CREATE TABLE mdl_a (id int PRIMARY KEY, g int AS (id + 1) STORED, u timestamp NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, n int, KEY gx (g), CONSTRAINT mdl_positive CHECK (n > 0))",
				"CREATE TABLE mdl_b (id int PRIMARY KEY, a int, CONSTRAINT mdl_fk FOREIGN KEY (a) REFERENCES mdl_a (id))",
				"CREATE TABLE mdl_my (id int PRIMARY KEY) ENGINE=MyISAM",
				"CREATE VIEW mdl_v AS SELECT id FROM mdl_a", "CREATE VIEW elsewhere AS SELECT id FROM mdl_a",
				"CREATE TRIGGER some_trigger BEFORE INSERT ON mdl_a FOR EACH ROW SET NEW.n = 1",
				"CREATE PROCEDURE mdl_proc() SELECT 1", "CREATE PROCEDURE other_proc() SELECT 1",
				"CREATE EVENT mdl_event ON SCHEDULE EVERY 1 YEAR DISABLE DO SELECT 1")
			inv := plan(t, open(t, db.DSN, nil))
			var got []string
			for _, l := range inv.Losses {
				got = append(got, string(l.Kind)+" "+l.Path+" "+l.Where)
			}
			slices.Sort(got)
			want := []string{"column db/a g", "constraint db/a mdl_positive", "constraint db/b mdl_fk", "index db/a gx", "routine db/event ", "routine db/proc ", "trigger db/a some_trigger", "view db/v "}
			if !slices.Equal(got, want) {
				t.Errorf("losses %q, want %q", got, want)
			}
			text := fmt.Sprint(inv.Notes)
			for _, want := range []string{"other_proc", "elsewhere", "MyISAM"} {
				if !strings.Contains(text, want) {
					t.Errorf("%s is not noted: %s", want, text)
				}
			}
			if len(inv.Units) != 3 {
				t.Errorf("%d units, want one for each table, though none has rows", len(inv.Units))
			}
		})
	}
}

// MySQL's catalog decodes the bytes of an expression that is not UTF-8 as characters,
// which would change it.
func TestExpressionsThatAreNotUTF8AreLost(t *testing.T) {
	db := servers.MySQL(t)
	exec(t, db, "CREATE TABLE mdl_a (id int PRIMARY KEY, a varbinary(9) DEFAULT (concat(_binary 0xFF, 'x')), b varchar(9) DEFAULT (concat('ü', 'x')))")
	inv := plan(t, open(t, db.DSN, nil))
	if len(inv.Losses) != 1 || inv.Losses[0].Kind != stage.LossDefault || inv.Losses[0].Where != "a" || !strings.Contains(inv.Losses[0].Reason, "not valid UTF-8") {
		t.Errorf("losses %+v", inv.Losses)
		t.Errorf("losses %+v", inv.Losses)
	}
	if d := inv.Tables[0].Schema.Columns[2].Default; d == nil || !strings.Contains(d.Value, "'ü'") {
		t.Errorf("the default of b is %+v", d)
	}
}

// All connections share one view while others write: the sum over two tables, between
// which each transaction moves an amount, is constant.
func TestOneSnapshotWhileOthersWrite(t *testing.T) {
	for _, engine := range engines {
		for _, c := range []struct {
			name, rights, consistency string
			global                    bool
		}{
			{"all rights", "", underGlobalLock, false},
			{"LOCK TABLES", "SELECT, LOCK TABLES", underTableLocks, false},
			{"SELECT only", "SELECT", oneConnection, false},
		} {
			t.Run(engine.name+" "+c.name, func(t *testing.T) {
				db := engine.make(t)
				exec(t, db, "CREATE TABLE mdl_a (id int PRIMARY KEY, n bigint)", "CREATE TABLE mdl_b (id int PRIMARY KEY, n bigint)", "CREATE TABLE mdl_c (id int PRIMARY KEY, n bigint)")
				for _, table := range []string{"mdl_a", "mdl_b", "mdl_c"} {
					exec(t, db, "INSERT INTO "+table+" VALUES (1, 1000), (2, 1000), (3, 1000)")
				}
				dsn := db.DSN
				if c.rights != "" {
					dsn = as(t, db, c.rights)
				}
				stop := write(t, db)
				defer stop()
				for range 5 {
					s := open(t, dsn, nil)
					inv := plan(t, s)
					if got := inv.Facts["consistency"]; got != c.consistency {
						t.Fatalf("consistency %q, want %q; notes %v", got, c.consistency, inv.Notes)
					}
					total := 0
					for _, lines := range readAll(t, s, inv.Units) {
						for _, line := range lines {
							_, n, _ := strings.Cut(line, "\t")
							amount, err := strconv.Atoi(n)
							if err != nil {
								t.Fatal(err)
							}
							total += amount
						}
					}
					if total != 9000 {
						t.Errorf("the sum over all tables is %d, want 9000", total)
					}
				}
			})
		}
	}
}

// If a lock is not granted in time, the source falls back to the next best means, and
// says so.
func TestLockTimeout(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			db := engine.make(t)
			exec(t, db, "CREATE TABLE mdl_a (id int PRIMARY KEY)", "CREATE TABLE busy (id int PRIMARY KEY)")
			conn, err := db.SQL.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.ExecContext(t.Context(), "LOCK TABLES busy WRITE"); err != nil {
				t.Fatal(err)
			}
			inv := plan(t, open(t, db.DSN, func(c *Config) { c.LockTimeout = config.Duration(time.Second) }))
			if got := inv.Facts["consistency"]; got != underTableLocks {
				t.Errorf("consistency %q, want %q", got, underTableLocks)
			}
			if _, err := conn.ExecContext(t.Context(), "UNLOCK TABLES"); err != nil {
				t.Error(err)
			}
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// write moves amounts between tables until the returned function is called.
func write(t testing.TB, db servers.Database) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for k := range 3 {
		wg.Go(func() {
			tables := []string{"mdl_a", "mdl_b", "mdl_c"}
			for n := 0; ctx.Err() == nil; n++ {
				tx, err := db.SQL.BeginTx(ctx, nil)
				if err != nil {
					return
				}
				_, err1 := tx.ExecContext(ctx, fmt.Sprintf("UPDATE %s SET n = n - 7 WHERE id = %d", tables[n%3], k+1))
				_, err2 := tx.ExecContext(ctx, fmt.Sprintf("UPDATE %s SET n = n + 7 WHERE id = %d", tables[(n+1)%3], k+1))
				if errors.Join(err1, err2) != nil {
					if err := tx.Rollback(); err != nil && ctx.Err() == nil {
						t.Error(err)
					}
					continue
				}
				if err := tx.Commit(); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	return func() { cancel(); wg.Wait() }
}

// A large table is read in ranges of its key that together cover it.
func TestKeyRanges(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			db := engine.make(t)
			exec(t, db, "CREATE TABLE mdl_log (id bigint NOT NULL PRIMARY KEY, txt longtext)")
			exec(t, db, "INSERT INTO mdl_log WITH RECURSIVE n (i) AS (SELECT -50 UNION ALL SELECT i + 1 FROM n WHERE i < 249) SELECT i * 1000, REPEAT('x', 500000) FROM n", "ANALYZE TABLE mdl_log")
			s := open(t, db.DSN, nil)
			inv := plan(t, s)
			if len(inv.Units) < 2 || len(inv.Units) > 6 {
				t.Fatalf("%d units of a table of 150 MB", len(inv.Units))
			}
			lines := readAll(t, s, inv.Units)["log"]
			if len(lines) != 300 || len(slices.Compact(lines)) != 300 {
				t.Errorf("%d rows, want 300", len(lines))
			}
			again := plan(t, open(t, db.DSN, nil))
			for k := range inv.Units {
				if inv.Units[k].ID != again.Units[k].ID {
					t.Errorf("unit %s is %s in the next plan", inv.Units[k].ID, again.Units[k].ID)
				}
			}
		})
	}
}

// Errors say what to do, and do not contain the password.
func TestErrorsAreClear(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			db := engine.make(t)
			exec(t, db, "CREATE TABLE mdl_a (id int PRIMARY KEY)")
			good, err := driver.ParseDSN(as(t, db, "SELECT"))
			if err != nil {
				t.Fatal(err)
			}
			change := func(f func(*driver.Config)) string { c := good.Clone(); f(c); return c.FormatDSN() }
			for _, c := range []struct {
				name, dsn, want string
				class           failure.Class
			}{
				{"no server", change(func(c *driver.Config) { c.Addr = "127.0.0.1:1" }), "no answer from the server", failure.Refused},
				{"wrong password", change(func(c *driver.Config) { c.Passwd = "the-secret-no" }), "wrong user", failure.Refused},
				{"a database that the user may not see", change(func(c *driver.Config) { c.DBName = "mysql" }), "no access to database", failure.Refused},
				{"no database", change(func(c *driver.Config) { c.DBName = "" }), "has no database name", failure.Usage},
				{"no DSN", "mysql://u:the-secret@host/x", "dsn is not", failure.Usage},
			} {
				_, err := open(t, c.dsn, nil).Plan(t.Context(), stage.PlanRequest{})
				if failure.Of(err) != c.class || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "the-secret") {
					t.Errorf("%s: class %d: %v", c.name, failure.Of(err), err)
				}
			}
			_, err = open(t, db.DSN, func(c *Config) { c.Prefix = "no_" }).Plan(t.Context(), stage.PlanRequest{})
			if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), `"no_"`) {
				t.Errorf("no tables: %v", err)
			}
			exec(t, db, "CREATE TABLE mdl_vault_restoring (note int)")
			_, err = open(t, db.DSN, nil).Plan(t.Context(), stage.PlanRequest{})
			if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "did not finish") {
				t.Errorf("a half restore: %v", err)
			}
		})
	}
}

// A lost connection ends the run with an error that says what was lost, so does a
// table altered after the snapshot, and a receiver's own error is returned unchanged.
func TestInterferenceDuringRun(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			db := engine.make(t)
			exec(t, db, "CREATE TABLE mdl_a (id int PRIMARY KEY)", "INSERT INTO mdl_a VALUES (1)", "CREATE TABLE mdl_big (id int PRIMARY KEY, txt longtext)")
			exec(t, db, "INSERT INTO mdl_big WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT i, REPEAT('x', 1000000) FROM n")
			one := func(c *Config) { c.Connections = 1 }
			s := open(t, db.DSN, one)
			inv := plan(t, s)
			boom := errors.New("the receiver is full")
			err := s.ReadRows(t.Context(), stage.ReadRequest{Unit: inv.Units[1]}, &failing{boom})
			if !errors.Is(err, boom) || strings.Contains(err.Error(), "source") {
				t.Errorf("the receiver's error: %v", err)
			}

			s = open(t, db.DSN, one)
			inv = plan(t, s)
			var mu sync.Mutex
			var once sync.Once
			kill := &collector{mu: &mu, data: map[string][]string{}, hook: func() {
				once.Do(func() { killSnapshot(t, db) })
			}}
			err = s.ReadRows(t.Context(), stage.ReadRequest{Unit: inv.Units[1]}, kill)
			if err == nil || !strings.Contains(err.Error(), "snapshot") || !strings.Contains(err.Error(), "big") {
				t.Errorf("a killed connection: %v", err)
			}
			err = s.ReadRows(t.Context(), stage.ReadRequest{Unit: inv.Units[0]}, &collector{mu: &mu, data: map[string][]string{}})
			if err == nil || !strings.Contains(err.Error(), "snapshot") {
				t.Errorf("after a killed connection: %v", err)
			}

			s = open(t, db.DSN, one)
			inv = plan(t, s)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // nothing may hold the table's definition
			defer cancel()
			if _, err := db.SQL.ExecContext(ctx, "ALTER TABLE mdl_a MODIFY id bigint NOT NULL"); err != nil {
				t.Fatal(err)
			}
			err = s.ReadRows(t.Context(), stage.ReadRequest{Unit: inv.Units[0]}, &collector{mu: &mu, data: map[string][]string{}})
			if err == nil || !strings.Contains(err.Error(), "altered") {
				t.Errorf("an altered table: %v", err)
			}
		})
	}
}

func killSnapshot(t testing.TB, db servers.Database) {
	var id int64
	err := db.SQL.QueryRowContext(t.Context(), "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND INFO LIKE 'SELECT%mdl_big%' AND ID <> CONNECTION_ID() AND INFO NOT LIKE '%PROCESSLIST%'").Scan(&id)
	if err == nil {
		_, err = db.SQL.ExecContext(t.Context(), fmt.Sprintf("KILL %d", id))
	}
	if err != nil {
		t.Error(err)
	}
}

// Tables of other programs are noted, and excluded tables are reported.
func TestExclusionsAreReported(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			db := engine.make(t)
			exec(t, db, "CREATE TABLE mdl_user (id int PRIMARY KEY)", "CREATE TABLE mdl_logstore_a (id int PRIMARY KEY)", "CREATE TABLE blog_post (id int PRIMARY KEY)", "CREATE TABLE shop (id int PRIMARY KEY)")
			inv := planSelected(t, open(t, db.DSN, nil), selection.Selection{ExcludeTables: []string{"logstore_*", "logstore_a", "nothing*"}})
			if got := tableNames(inv); !slices.Equal(got, []string{"user"}) {
				t.Errorf("tables %q", got)
			}
			if text := fmt.Sprint(inv.Notes); !strings.Contains(text, "blog_post, shop") {
				t.Errorf("other tables are not noted: %s", text)
			}
			if want := []selection.Excluded{{Path: "db/logstore_a", Pattern: "logstore_*"}}; !slices.Equal(inv.Excluded, want) {
				t.Errorf("excluded %q, want %q", inv.Excluded, want)
			}
		})
	}
}

package mysql

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/faultproxy"
	"github.com/lmsvault/vault/internal/isolated"
	"github.com/lmsvault/vault/internal/servers"
	source "github.com/lmsvault/vault/sources/mysql"
)

// oldSite creates the site to be replaced; user_info is also restored.
func oldSite(t testing.TB, db servers.Database) {
	exec(t, db, "CREATE TABLE mdl_user_info (id int PRIMARY KEY, old int)", "INSERT INTO mdl_user_info VALUES (7, 7)",
		"CREATE TABLE mdl_more (id int PRIMARY KEY, u int, CONSTRAINT fk FOREIGN KEY (u) REFERENCES mdl_user_info (id))", "CREATE VIEW mdl_view AS SELECT * FROM mdl_user_info")
}

// wantOld fails unless the database holds exactly the old site, complete and
// readable.
func wantOld(t testing.TB, db servers.Database) {
	t.Helper()
	if names := siteTables(t, db, ""); !slices.Equal(names, []string{"mdl_more", "mdl_user_info", "mdl_view"}) {
		t.Errorf("there are %q", names)
	}
	if id := one(t, db, "SELECT old FROM mdl_view"); id != "7" {
		t.Errorf("the view has %s", id)
	}
	wantReadable(t, db, 2)
}

// wantNew fails unless the database holds exactly the new site.
func wantNew(t testing.TB, db servers.Database, beside ...string) {
	t.Helper()
	want := append([]string{"mdl_user_info"}, beside...)
	slices.Sort(want)
	if names := siteTables(t, db, ""); !slices.Equal(names, want) {
		t.Errorf("there are %q, want %q", names, want)
	}
	if name := one(t, db, "SELECT username FROM mdl_user_info"); name != "new" {
		t.Errorf("the table has %q", name)
	}
	if create := one(t, db, "SHOW CREATE TABLE mdl_user_info"); !strings.Contains(create, "`mdl_userinfo_use_uix`") {
		t.Errorf("the table is\n%s", create)
	}
}

// wantReadable plans a backup, which refuses an incomplete database.
func wantReadable(t testing.TB, db servers.Database, tables int) {
	t.Helper()
	s, err := source.Stage().NewSource(t.Context(), &source.Config{DSN: config.NewSecret(db.DSN), Prefix: "mdl_", LockTimeout: config.Duration(1e10)}, stage.Env{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	inv, err := s.Plan(t.Context(), stage.PlanRequest{})
	if err != nil || len(inv.Tables) != tables {
		t.Errorf("a backup of it finds %d tables: %v", len(inv.Tables), err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// loaded returns a sink that has loaded the new site's only row.
func loaded(t testing.TB, dsn string, p *stage.Plan) stage.RowSink {
	t.Helper()
	s := open(t, Config{DSN: config.NewSecret(dsn), Prefix: "mdl_"})
	if _, err := s.Check(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if err := s.Begin(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	w, err := s.WriteRows(t.Context(), stage.Unit{ID: "db/user_info", Part: stage.DB, Table: "user_info"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(t.Context(), stage.Chunk{Data: []byte("1\tnew\t1\ta\t\\N\n"), Rows: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// finished returns a sink that has also finished and proven the new site.
func finished(t testing.TB, dsn string, p *stage.Plan) stage.RowSink {
	t.Helper()
	s := loaded(t, dsn, p)
	if err := s.Finish(t.Context(), &stage.Outcome{}); err != nil {
		t.Fatal(err)
	}
	proofs, err := s.Prove(t.Context())
	if err != nil || len(proofs) != 1 || proofs[0].Schema.Name != "user_info" || proofs[0].Sum.Rows != 1 || len(proofs[0].Schema.Indexes) != 4 {
		t.Fatalf("proofs %s, %v", asJSON(t, proofs), err)
	}
	return s
}

// Until Publish the old site is unchanged, also for readers, and every earlier
// failure leaves it so. Publish replaces it with the new one.
func TestOldSiteStaysUntilNewOneIsProven(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			db := engine.make(t)
			oldSite(t, db)
			for name, fail := range map[string]func(t testing.TB){
				"aborted while loading": func(t testing.TB) {
					s := loaded(t, db.DSN, swapping())
					wantReadable(t, db, 2)
					abort(t, s)
				},
				"an index can't be built": func(t testing.TB) {
					s := loaded(t, db.DSN, swapping())
					exec(t, db, "ALTER TABLE "+incoming(t, db)+" DROP COLUMN `rank`")
					if err := s.Finish(t.Context(), &stage.Outcome{}); err == nil || !strings.Contains(err.Error(), "user_info") {
						t.Errorf("Finish returned %v", err)
					}
					abort(t, s)
				},
				"a table can't be proven": func(t testing.TB) {
					s := loaded(t, db.DSN, swapping())
					if err := s.Finish(t.Context(), &stage.Outcome{}); err != nil {
						t.Fatal(err)
					}
					exec(t, db, "DROP TABLE "+incoming(t, db))
					if _, err := s.Prove(t.Context()); err == nil || !strings.Contains(err.Error(), "user_info is missing") {
						t.Errorf("Prove returned %v", err)
					}
					abort(t, s)
				},
				"aborted when it is proven": func(t testing.TB) {
					s := finished(t, db.DSN, swapping())
					if names := siteTables(t, db, ""); len(names) != 5 {
						t.Errorf("there are %q", names)
					}
					abort(t, s)
				},
				"another table refers to the site meanwhile": func(t testing.TB) {
					s := finished(t, db.DSN, swapping())
					exec(t, db, "CREATE TABLE other (id int PRIMARY KEY, u int, CONSTRAINT fk_other FOREIGN KEY (u) REFERENCES mdl_user_info (id))")
					if err := s.Publish(t.Context()); err == nil || !strings.Contains(err.Error(), "fk_other") {
						t.Errorf("Publish returned %v", err)
					}
					abort(t, s)
					exec(t, db, "DROP TABLE other")
				},
			} {
				fail(t)
				t.Log(name)
				wantOld(t, db)
			}
			s := finished(t, db.DSN, swapping())
			if err := s.Publish(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantNew(t, db)
		})
	}
}

func abort(t testing.TB, s stage.Sink) {
	t.Helper()
	for range 2 {
		if err := s.Abort(t.Context()); err != nil {
			t.Errorf("Abort returned %v", err)
		}
	}
}

// incoming returns the quoted name of the first table beside the site.
func incoming(t testing.TB, db servers.Database) string {
	t.Helper()
	names := siteTables(t, db, "mdl_vault_new_")
	at := slices.IndexFunc(names, func(name string) bool { return strings.HasSuffix(name, "_0") })
	if at < 0 {
		t.Fatalf("there are %q", names)
	}
	return "`" + names[at] + "`"
}

// An empty database is empty after a failed restore.
func TestFailedRestoreLeavesEmptyDatabaseEmpty(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			db := engine.make(t)
			abort(t, finished(t, db.DSN, users()))
			if names := siteTables(t, db, ""); len(names) > 0 {
				t.Errorf("there are %q", names)
			}
			s := finished(t, db.DSN, users())
			exec(t, db, "CREATE TABLE mdl_late (id int)") // a site is installed meanwhile
			if err := s.Publish(t.Context()); err == nil || !strings.Contains(err.Error(), "mdl_late") {
				t.Errorf("Publish returned %v", err)
			}
			abort(t, s)
			if names := siteTables(t, db, ""); !slices.Equal(names, []string{"mdl_late"}) {
				t.Errorf("there are %q", names)
			}
		})
	}
}

// If the server's answer to the exchange is lost, the sink determines the outcome,
// reports it, and leaves nothing beside the site.
func TestAnswerToExchangeIsLost(t *testing.T) {
	for _, engine := range engines {
		for _, c := range []struct {
			name  string
			does  faultproxy.Fate
			down  bool // the server is unreachable until Abort
			new   bool // whether the new site is there at the end
			fails bool
		}{
			{"it was done", faultproxy.CarryOut, false, true, false},
			{"it was not done", faultproxy.Withhold, false, false, true},
			{"it was done, server unreachable", faultproxy.CarryOut, true, true, true},
			{"it was not done, server unreachable", faultproxy.Withhold, true, false, true},
		} {
			t.Run(engine.name+" "+c.name, func(t *testing.T) {
				t.Parallel()
				db := engine.make(t)
				oldSite(t, db)
				var renamed, back atomic.Bool
				dsn := faultproxy.MySQL(t, db.DSN, func(statement string) faultproxy.Fate {
					switch {
					case strings.HasPrefix(statement, "RENAME TABLE") && !renamed.Swap(true):
						return c.does
					case c.down && renamed.Load() && !back.Load():
						return faultproxy.Withhold
					}
					return faultproxy.Pass
				})
				s := finished(t, dsn, swapping())
				err := s.Publish(t.Context())
				if (err != nil) != c.fails || c.fails && !strings.Contains(err.Error(), "exchanging the old tables") {
					t.Fatalf("Publish returned %v", err)
				}
				if err != nil {
					back.Store(true)
					err := s.Abort(t.Context())
					if said := err != nil && strings.Contains(err.Error(), "the new site is in place"); said != c.new || !said && err != nil {
						t.Errorf("Abort returned %v", err)
					}
				}
				if c.new {
					wantNew(t, db)
				} else {
					wantOld(t, db)
				}
			})
		}
	}
}

// The new site is complete although the old one could not be dropped; the next
// restore drops it.
func TestOldTablesCannotBeDropped(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			db := engine.make(t)
			oldSite(t, db)
			var renamed atomic.Bool
			dsn := faultproxy.MySQL(t, db.DSN, func(statement string) faultproxy.Fate {
				if strings.HasPrefix(statement, "RENAME TABLE") {
					renamed.Store(true)
				}
				if renamed.Load() && strings.HasPrefix(statement, "DROP") {
					return faultproxy.Withhold
				}
				return faultproxy.Pass
			})
			s := finished(t, dsn, swapping())
			if err := s.Publish(t.Context()); err != nil {
				t.Fatal(err)
			}
			if notes, err := s.(stage.Noter).Notes(t.Context()); err != nil || len(notes) != 1 || !strings.Contains(notes[0].Text, "mdl_vault_old_…) could not all be dropped; the next restore tries again: ") {
				t.Errorf("notes %q, %v", notes, err)
			}
			left := siteTables(t, db, "mdl_vault_old_")
			if len(left) != 4 { // including the receipts
				t.Errorf("left are %q", left)
			}
			wantNew(t, db, left...)
			wantReadable(t, db, 1)
			if err := finished(t, db.DSN, swapping()).Publish(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantNew(t, db)
		})
	}
}

// Preserved tables keep their rows; a restored table must not have the name of one.
func TestPreservedTablesStay(t *testing.T) {
	for _, engine := range engines {
		for _, mode := range []stage.Replace{stage.ReplaceSwap, stage.ReplaceInPlace} {
			t.Run(engine.name+" "+string(mode), func(t *testing.T) {
				t.Parallel()
				db := engine.make(t)
				oldSite(t, db)
				exec(t, db, "CREATE TABLE mdl_local_a (id int PRIMARY KEY)", "CREATE TABLE mdl_local_b (id int PRIMARY KEY)", "CREATE VIEW mdl_local_view AS SELECT id FROM mdl_user_info", "INSERT INTO mdl_local_a VALUES (3)")
				p := users()
				p.Replace, p.Preserve = mode, []string{"local_*", "none?"}
				found, err := open(t, Config{DSN: config.NewSecret(db.DSN), Prefix: "mdl_"}).Check(t.Context(), p)
				if text := asJSON(t, found.Notes); err != nil || !strings.Contains(text, `\"none?\" matches no table`) || strings.Contains(text, "local_") || !strings.Contains(text, "3 tables and views") {
					t.Errorf("Check: %v, notes %s", err, text)
				}
				if err := finished(t, db.DSN, p).Publish(t.Context()); err != nil {
					t.Fatal(err)
				}
				wantNew(t, db, "mdl_local_a", "mdl_local_b", "mdl_local_view")
				if v := one(t, db, "SELECT (SELECT id FROM mdl_local_a) + (SELECT id FROM mdl_local_view)"); v != "4" {
					t.Errorf("what stays has %s", v)
				}

				p.Preserve = []string{"user*"}
				if _, err := open(t, Config{DSN: config.NewSecret(db.DSN), Prefix: "mdl_"}).Check(t.Context(), p); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), `preserved by "user*"`) {
					t.Errorf("a table that is preserved and comes: %v", err)
				}
				p.Replace, p.Preserve = stage.ReplaceNothing, []string{"*"}
				p.Tables[0].Schema.Name = "other"
				if _, err := open(t, Config{DSN: config.NewSecret(db.DSN), Prefix: "mdl_"}).Check(t.Context(), p); err != nil {
					t.Errorf("nothing is replaced, and all that is there is preserved: %v", err)
				}
			})
		}
	}
}

// A restore that lost its lock, and whose tables another one has removed since,
// publishes nothing.
func TestRestoreThatLostItsLockPublishesNothing(t *testing.T) {
	if isolated.On() {
		t.Skip("accesses the sink's internals")
	}
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			db := engine.make(t)
			oldSite(t, db)
			first := finished(t, db.DSN, swapping())
			exec(t, db, "KILL "+one(t, db, "SELECT IS_USED_LOCK('"+lockName(connect(t, db).Database, "mdl_")+"')"))
			second := finished(t, db.DSN, swapping())
			if err := first.Publish(t.Context()); err == nil || !strings.Contains(err.Error(), "another restore") {
				t.Errorf("while the other one works: %v", err)
			}
			abort(t, second)
			if err := first.Publish(t.Context()); err == nil {
				t.Error("published although its tables are gone")
			}
			if err := first.Abort(context.Background()); err != nil {
				t.Error(err)
			}
			wantOld(t, db)
		})
	}
}

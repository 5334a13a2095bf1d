package safeclone_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/lmsvault/vault/actions/safeclone"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle/clone"
	"github.com/lmsvault/vault/core/moodle/clone/clonetest"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/internal/servers"
)

const address = "https://staging.example.org"

// live is a site with the rows of clonetest.
type live struct {
	db     *sql.DB
	quote  func(string) string
	config safeclone.Config
}

func ansi(name string) string { return `"` + name + `"` }

// created creates the site's tables and a config.php.
func created(t *testing.T, db *sql.DB, engine, at, id string) *live {
	t.Helper()
	l := &live{db: db, quote: ansi}
	if engine == "mysql" {
		l.quote = func(name string) string { return "`" + name + "`" }
	}
	clonetest.Create(t, db, id, l.quote)
	if err := config.Defaults(&l.config); err != nil {
		t.Fatal(err)
	}
	l.config.Dir = t.TempDir()
	php := "<?php $CFG = new stdClass(); $CFG->wwwroot = '" + address + "'; $CFG->cron_enabled = 1; $CFG->noemailever = true;\n"
	if err := os.WriteFile(filepath.Join(l.config.Dir, "config.php"), []byte(php), 0o600); err != nil {
		t.Fatal(err)
	}
	l.config.Database = &database.Address{Engine: engine, Prefix: "mdl_"}
	if engine == "sqlite" {
		l.config.Database.Path = at
	} else {
		l.config.Database.DSN = config.NewSecret(at)
	}
	l.config.AdminPassword = config.NewSecret(clonetest.Password)
	l.config.BannerText, l.config.NamePrefix = clonetest.BannerText, clonetest.NamePrefix
	return l
}

func sqlite(t *testing.T) *live {
	path := filepath.Join(t.TempDir(), "site.sqlite")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return created(t, db, "sqlite", path, "INTEGER PRIMARY KEY AUTOINCREMENT")
}

func (l *live) run(t *testing.T, dry bool) stage.ActionReport {
	t.Helper()
	a, err := safeclone.Stage().NewAction(t.Context(), &l.config, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := a.Run(t.Context(), stage.ActionRequest{Moment: stage.MomentStart, DryRun: dry})
	if err != nil || r.Validate() != nil {
		t.Fatalf("%v, %v", err, r.Validate())
	}
	return r
}

// of returns the text of a finding.
func of(r stage.ActionReport, id string) string {
	for _, f := range r.Findings {
		if f.ID == id {
			return f.What
		}
	}
	return ""
}

// A copy on each engine is made safe; a dry run changes nothing, and a second run finds
// nothing to do.
func TestExistingCopyBecomesSafe(t *testing.T) {
	for name, make := range map[string]func(t *testing.T) *live{
		"SQLite": sqlite,
		"MariaDB": func(t *testing.T) *live {
			d := servers.MariaDB(t)
			return created(t, d.SQL, "mysql", d.DSN, "BIGINT AUTO_INCREMENT PRIMARY KEY")
		},
		"MySQL": func(t *testing.T) *live {
			d := servers.MySQL(t)
			return created(t, d.SQL, "mysql", d.DSN, "BIGINT AUTO_INCREMENT PRIMARY KEY")
		},
		"PostgreSQL": func(t *testing.T) *live {
			d := servers.Postgres(t)
			return created(t, d.SQL, "postgres", d.DSN, "BIGSERIAL PRIMARY KEY")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := make(t)
			l.config.Copy = true
			var all []string
			for _, m := range clone.Measures() {
				all = append(all, m.ID)
			}
			dry := l.run(t, true)
			clonetest.Check(t, l.db, l.quote, all...)
			wet := l.run(t, false)
			clonetest.Check(t, l.db, l.quote)
			again := l.run(t, false)
			clonetest.Check(t, l.db, l.quote)
			for _, m := range clone.Measures() {
				did := of(wet, "measure-"+m.ID)
				if did == "" || strings.Contains(did, "nothing to do") || "dry run: "+did != of(dry, "measure-"+m.ID) {
					t.Errorf("%s: the dry run says %q, the run %q", m.ID, of(dry, "measure-"+m.ID), did)
				}
				if done := of(again, "measure-"+m.ID); !strings.HasSuffix(done, "(nothing to do)") {
					t.Errorf("%s: the second run says %q", m.ID, done)
				}
			}
			if got := of(wet, "measure-mail"); got != "Mail is off (rows: 3 changed, 1 set)" {
				t.Errorf("the report says %q", got)
			}
			if got := of(wet, "forced-setting"); !strings.Contains(got, "cron_enabled") {
				t.Errorf("the report says %q about config.php", got)
			}
		})
	}
}

// Two runs take each measure once and leave it once.
func TestEachMeasureHasASwitch(t *testing.T) {
	switches := func(c *safeclone.Config) []*bool {
		return []*bool{
			&c.Mail, &c.Cron, &c.Tasks, &c.Sessions, &c.WebServices, &c.LTI, &c.OAuth2, &c.Mobile, &c.Registration, &c.Push, &c.Payments,
			&c.Enrolments, &c.Repositories, &c.Badges, &c.MNet, &c.Secrets, &c.Statistics, &c.Password, &c.Banner,
		}
	}
	for turn := range 2 {
		l := sqlite(t)
		l.config.Copy = true
		var off []string
		for i, s := range switches(&l.config) {
			if *s = i%2 != turn; !*s {
				off = append(off, clone.Measures()[i].ID)
			}
		}
		r := l.run(t, false)
		clonetest.Check(t, l.db, l.quote, off...)
		if got := of(r, "measures-off"); got != "measures that are off: "+strings.Join(off, ", ") {
			t.Errorf("the report says %q", got)
		}
	}
}

func TestOriginalIsRefused(t *testing.T) {
	record := func(l *live, address string) {
		t.Helper()
		if _, err := l.db.ExecContext(t.Context(), `INSERT INTO mdl_config_plugins (plugin, name, value) VALUES ('vault', 'production_1', '`+address+`')`); err != nil {
			t.Fatal(err)
		}
	}
	l := sqlite(t)
	refused := func(want string) {
		t.Helper()
		r := l.run(t, false)
		if r.Level() != stage.LevelFail || !strings.Contains(of(r, "original"), want) || len(r.Findings) != 1 {
			t.Errorf("the report is %v, want a failure with %q", r.Findings, want)
		}
		if n := count(t, l.db, "task_adhoc"); n != 1 {
			t.Errorf("%d tasks are left", n)
		}
	}
	refused("nothing is recorded")
	record(l, "https://moodle.example.org")
	record(l, "http://STAGING.example.org/")
	refused("has the address of the original")
	if _, err := l.db.ExecContext(t.Context(), `DELETE FROM mdl_config_plugins WHERE value LIKE '%STAGING%'`); err != nil {
		t.Fatal(err)
	}
	if r := l.run(t, false); r.Level() == stage.LevelFail || count(t, l.db, "task_adhoc") != 0 {
		t.Errorf("a copy is refused: %v", r.Findings)
	}
}

func count(t *testing.T, db *sql.DB, table string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM mdl_"+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Administrators of the site get the password whatever their names are.
func TestSiteAdministratorsGetThePassword(t *testing.T) {
	l := sqlite(t)
	l.config.Copy, l.config.Admins = true, nil
	for _, statement := range []string{
		`INSERT INTO mdl_config (name, value) VALUES ('siteadmins', '90,91')`,
		`INSERT INTO mdl_user (id, username, auth, password) VALUES (90, 'root', 'cas', 'not cached'), (92, 'other', 'cas', 'not cached')`,
	} {
		if _, err := l.db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	l.run(t, false)
	var names []string
	rows, err := l.db.QueryContext(t.Context(), `SELECT username FROM mdl_user WHERE auth = 'manual' AND password LIKE '$2y$%'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil || !slices.Equal(names, []string{"root"}) {
		t.Errorf("the password is that of %v (%v)", names, err)
	}
}

package restore

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/dialects/site"
	"github.com/lmsvault/vault/internal/servers"
)

// empty are the databases of the tests, each with no tables.
var empty = map[string]func(t *testing.T) database.Address{
	"MariaDB":    func(t *testing.T) database.Address { return at("mysql", servers.MariaDB(t).DSN) },
	"PostgreSQL": func(t *testing.T) database.Address { return at("postgres", servers.Postgres(t).DSN) },
	"SQLite": func(t *testing.T) database.Address {
		path := filepath.Join(t.TempDir(), "site.sqlite")
		if err := os.WriteFile(path, nil, 0o600); err != nil { // an empty database
			t.Fatal(err)
		}
		return database.Address{Engine: "sqlite", Path: path, Prefix: "mdl_"}
	},
}

func at(engine, dsn string) database.Address {
	return database.Address{Engine: engine, DSN: config.NewSecret(dsn), Prefix: "mdl_"}
}

// execute runs statements in a database.
func execute(t *testing.T, a database.Address, statements ...string) {
	t.Helper()
	d, err := a.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := d.Exec(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// code writes a directory of Moodle's code with this config.php.
func code(t *testing.T, php string) string {
	t.Helper()
	dir := t.TempDir()
	text := "<?php\nunset($CFG); global $CFG; $CFG = new stdClass();\n" + php + "\nrequire_once(__DIR__ . '/lib/setup.php');\n"
	if err := os.WriteFile(filepath.Join(dir, "config.php"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// install makes the tables that say which site a database holds.
func install(t *testing.T, a database.Address, id string, allows string) {
	t.Helper()
	execute(t, a,
		"CREATE TABLE {config} (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL, value TEXT)",
		"CREATE TABLE {config_plugins} (id BIGINT NOT NULL PRIMARY KEY, plugin VARCHAR(100) NOT NULL, name VARCHAR(100) NOT NULL, value TEXT)",
		"CREATE TABLE {course} (id BIGINT NOT NULL PRIMARY KEY, category BIGINT NOT NULL, fullname VARCHAR(254) NOT NULL)",
		"INSERT INTO {course} (id, category, fullname) VALUES (1, 0, 'Staging School')",
		"INSERT INTO {config} (id, name, value) VALUES (1, 'version', '2024100704.00'), (2, 'release', '4.5.4 (Build: 20250414)')",
	)
	if id != "" {
		execute(t, a, "INSERT INTO {config} (id, name, value) VALUES (3, 'siteidentifier', '"+id+"')")
	}
	if allows != "" {
		execute(t, a, "INSERT INTO {config_plugins} (id, plugin, name, value) VALUES (1, 'tool_vault', 'allowrestore', '"+allows+"')")
	}
}

const (
	address = "$CFG->wwwroot = 'https://staging.example.org';\n"
	allow   = "$CFG->forced_plugin_settings['tool_vault']['allowrestore'] = 1;\n"
	forbid  = "$CFG->forced_plugin_settings = ['tool_vault' => ['allowrestore' => false]];\n"
)

func TestGuardReplacesOnlySitesThatAreMeantAndAllowIt(t *testing.T) {
	const id, other = "backup-of-this-site", "another-site"
	cases := map[string]struct {
		prepare func(t *testing.T, a database.Address)
		php     string
		cfg     guardConfig
		address string // of the backup
		refused []string
		confirm bool
	}{
		"empty":                     {prepare: func(*testing.T, database.Address) {}, php: address},
		"empty, forbidden":          {prepare: func(*testing.T, database.Address) {}, php: address + forbid, refused: []string{"config.php of the target forbids restores", "config.php:4"}},
		"same site, not allowed":    {prepare: holds(id, ""), php: address, refused: []string{"does not allow restores", "--allow-restore"}},
		"same site, setting 0":      {prepare: holds(id, "0"), php: address, refused: []string{"does not allow restores"}},
		"same site, setting 1":      {prepare: holds(id, "1"), php: address, confirm: true},
		"same site, config.php":     {prepare: holds(id, ""), php: address + allow, confirm: true},
		"same site, allow_restore":  {prepare: holds(id, ""), php: address, cfg: guardConfig{AllowRestore: true}, confirm: true},
		"same site, forbidden":      {prepare: holds(id, "1"), php: address + forbid, cfg: guardConfig{AllowRestore: true}, refused: []string{"forbids restores"}},
		"same site, other address":  {prepare: holds(id, "1"), php: address, address: "https://school.example.org", refused: []string{"another address", "replace_site: https://staging.example.org"}},
		"same site, address named":  {prepare: holds(id, "1"), php: address, address: "https://school.example.org", cfg: guardConfig{ReplaceSite: "https://staging.example.org/"}, confirm: true},
		"other site":                {prepare: holds(other, "1"), php: address, refused: []string{"site identifiers differ", "replace_site: https://staging.example.org"}},
		"other site, named by id":   {prepare: holds(other, "1"), php: address, cfg: guardConfig{ReplaceSite: other}, confirm: true},
		"other site, wrongly named": {prepare: holds(other, "1"), php: address, cfg: guardConfig{ReplaceSite: id}, refused: []string{"replace_site is " + id + ", but the target is https://staging.example.org or " + other}},
		"other site, not allowed":   {prepare: holds(other, ""), php: address, cfg: guardConfig{ReplaceSite: other}, refused: []string{"does not allow restores"}},
		"no identifier":             {prepare: holds("", ""), php: address, cfg: guardConfig{AllowRestore: true}, refused: []string{"unknown which site"}},
		"no identifier, named":      {prepare: holds("", ""), php: address, cfg: guardConfig{AllowRestore: true, ReplaceSite: "https://staging.example.org"}, confirm: true},
		"interrupted in-place restore": {prepare: func(t *testing.T, a database.Address) {
			if a.Engine == "sqlite" {
				t.Skip("an incomplete file has another name")
			}
			execute(t, a, "CREATE TABLE {user} (id BIGINT NOT NULL PRIMARY KEY)", "CREATE TABLE {vault_restoring} (id INT)")
		}, php: address, confirm: true},
	}
	for engine, make := range empty {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			a, n := make(t), 0
			for name, c := range cases {
				n++
				a := a
				a.Prefix = fmt.Sprintf("site%d_", n) // one database for all cases
				t.Run(name, func(t *testing.T) {
					c.prepare(t, a)
					cfg := c.cfg
					cfg.targetSettings = targetSettings{Settings: site.Settings{Dir: code(t, c.php), Database: &a}}
					facts := map[string]string{moodle.SiteFact: id, moodle.SiteNameFact: "Example School", moodle.AddressFact: c.address}
					r, err := (&guard{cfg: cfg}).Run(t.Context(), stage.ActionRequest{Moment: stage.MomentPlanned, Plan: &stage.Plan{Facts: facts}})
					if err != nil {
						t.Fatal(err)
					}
					if err := r.Validate(); err != nil {
						t.Error(err)
					}
					if refused := r.Level() == stage.LevelFail; refused != (c.refused != nil) {
						t.Errorf("findings %v", r.Findings)
					}
					text := ""
					for _, f := range r.Findings {
						text += f.String() + "\n"
					}
					for _, want := range c.refused {
						if !strings.Contains(text, want) {
							t.Errorf("%q is missing in %s", want, text)
						}
					}
					if c.confirm && r.Confirm == "" {
						t.Error("nothing has to be confirmed")
					}
				})
			}
		})
	}
}

// holds makes a site with an identifier and the setting allowrestore.
func holds(id, allows string) func(t *testing.T, a database.Address) {
	return func(t *testing.T, a database.Address) { install(t, a, id, allows) }
}

func TestConfirmationShowsBothSites(t *testing.T) {
	a := empty["SQLite"](t)
	install(t, a, "another-site", "1")
	pool := t.TempDir()
	if err := os.Mkdir(filepath.Join(pool, "ab"), 0o700); err != nil {
		t.Fatal(err)
	}
	g := &guard{cfg: guardConfig{
		targetSettings: targetSettings{Settings: site.Settings{Dir: code(t, address), Database: &a}, Dirs: []string{pool, filepath.Join(pool, "missing")}},
		ReplaceSite:    "another-site", Preserved: []string{"db/local_*"},
	}}
	plan := &stage.Plan{
		Snapshots: []string{"20261128-141430-7265b2f9"}, Files: 3, Bytes: 3 << 20,
		Tables: []stage.TableInfo{{Rows: 1234, Bytes: 1 << 20}, {Rows: 1}},
		Facts: map[string]string{
			moodle.SiteFact: "backup-of-this-site", moodle.SiteNameFact: "Example School", moodle.AddressFact: "https://school.example.org",
			moodle.VersionFact: "2024100706.00", moodle.ReleaseFact: "4.5.6 (Build: 20250811)",
		},
	}
	r, err := g.Run(t.Context(), stage.ActionRequest{Moment: stage.MomentPlanned, Plan: plan})
	if err != nil {
		t.Fatal(err)
	}
	want := `The backup replaces what is in the target.
  backup
    name        Example School
    address     https://school.example.org
    identifier  backup-of-this-site
    Moodle      4.5.6 (Build: 20250811), version 2024100706.00
    size        1,235 rows (1.0 MiB), 3 files and directories (2.0 MiB)
    snapshot    20261128-141430-7265b2f9, made 2026-11-28 14:14 UTC
  target
    name        Staging School
    address     https://staging.example.org
    identifier  another-site
    Moodle      4.5.4 (Build: 20250414), version 2024100704.00
    size        3 tables (28 KiB)
    database    ` + a.Path + `
    directory   ` + pool + `
    preserved   db/local_*`
	if r.Confirm != want {
		t.Errorf("got\n%s\nwant\n%s", r.Confirm, want)
	}
}

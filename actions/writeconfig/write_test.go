package writeconfig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/dialects/site"
	"github.com/lmsvault/vault/internal/servers"
)

const php = `<?php
$CFG = new stdClass();
$CFG->dbtype = 'pgsql';
$CFG->dbhost = 'old.example.org';
$CFG->dbname = 'moodle';
$CFG->dbuser = 'web';
$CFG->dbpass = 'old';
$CFG->prefix = 'mdl_';
$CFG->dataroot = '/srv/data';
require_once(__DIR__ . '/lib/setup.php');
`

func siteDir(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "config.php")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	return dir
}

func run(t *testing.T, cfg Config, dry bool) stage.ActionFinding {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	r, err := (&action{cfg: &cfg}).Run(t.Context(), stage.ActionRequest{Moment: stage.MomentAfter, DryRun: dry})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Validate(); err != nil || len(r.Findings) != 1 {
		t.Fatalf("%v, %v", r, err)
	}
	return r.Findings[0]
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestConfigNamesTheNewDatabase(t *testing.T) {
	db := servers.MariaDB(t)
	dir := siteDir(t, php)
	file := filepath.Join(dir, "config.php")
	cfg := Config{Settings: site.Settings{Dir: dir, Database: &database.Address{Engine: "mysql", DSN: config.NewSecret(db.DSN), Prefix: "m_"}}}
	if f := run(t, cfg, true); f.Level != stage.LevelOK || read(t, file) != php {
		t.Errorf("a dry run: %v", f)
	}
	f := run(t, cfg, false)
	if f.Level != stage.LevelOK || !strings.Contains(f.What, "config.php.vault-before") {
		t.Errorf("%v", f)
	}
	if read(t, file+".vault-before") != php {
		t.Error("the old file is not kept")
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the mode is %v (%v)", info.Mode(), err)
	}
	for _, want := range []string{"$CFG->dbtype = 'mariadb';", "$CFG->prefix = 'm_';", "'dbcollation' => 'utf8mb4_", "$CFG->dataroot = '/srv/data';"} {
		if !strings.Contains(read(t, file), want) {
			t.Errorf("%s is missing in\n%s", want, read(t, file))
		}
	}
	// The site's own configuration now leads to the database.
	now, err := (&site.Settings{Dir: dir}).Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d, err := now.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if run(t, cfg, false); read(t, file+".vault-before") != php {
		t.Error("the oldest file is not kept")
	}
}

func TestConfigIsWrittenElsewhereOnRequest(t *testing.T) {
	dir, path := siteDir(t, php), filepath.Join(t.TempDir(), "config.php")
	cfg := Config{Settings: site.Settings{Dir: dir, Database: &database.Address{Engine: "sqlite", Path: "/srv/site.sqlite", Prefix: "mdl_"}}, Path: path}
	if f := run(t, cfg, false); f.Where != path || f.Level != stage.LevelOK {
		t.Errorf("%v", f)
	}
	if text := read(t, path); !strings.Contains(text, "'file' => '/srv/site.sqlite'") || read(t, filepath.Join(dir, "config.php")) != php {
		t.Errorf("got %s", text)
	}
}

func TestConfigThatDecidesItselfIsNotTouched(t *testing.T) {
	text := strings.Replace(php, "'old.example.org'", "getenv('HOME')", 1)
	dir := siteDir(t, text)
	f := run(t, Config{Settings: site.Settings{Dir: dir, Database: &database.Address{Engine: "sqlite", Path: "/srv/site.sqlite", Prefix: "mdl_"}}}, false)
	if f.Level != stage.LevelOK || !strings.Contains(read(t, filepath.Join(dir, "config.php")), "getenv('HOME')") {
		t.Errorf("SQLite needs no dbhost: %v", f)
	}
	text = strings.Replace(php, "'pgsql'", "getenv('DBTYPE') ?: 'pgsql'", 1)
	dir = siteDir(t, text)
	f = run(t, Config{Settings: site.Settings{Dir: dir, Database: &database.Address{Engine: "sqlite", Path: "/srv/site.sqlite", Prefix: "mdl_"}}}, false)
	if f.Level != stage.LevelWarning || !strings.Contains(f.Details, "$CFG->dbtype = 'sqlite3';") || read(t, filepath.Join(dir, "config.php")) != text {
		t.Errorf("%v\n%s", f, f.Details)
	}
}

package moodle

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/dialects/site"
)

// code writes a directory of Moodle's code with this config.php.
func code(t *testing.T, php string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"config.php": "<?php\nunset($CFG); global $CFG; $CFG = new stdClass();\n" + php + "\nrequire_once(__DIR__ . '/lib/setup.php');\n", "version.php": "<?php\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const common = `$CFG->dbtype = 'pgsql'; $CFG->dbhost = 'db.example.org'; $CFG->dbname = 'moodle'; $CFG->dbuser = 'web'; $CFG->dbpass = 'secret';
$CFG->prefix = 'm_'; $CFG->wwwroot = 'https://moodle.example.org'; $CFG->dataroot = '/srv/data';
$CFG->dboptions = ['dbschema' => 'site'];`

func expanded(t *testing.T, c Config) *stage.Expansion {
	t.Helper()
	if err := config.Defaults(&c); err != nil {
		t.Fatal(err)
	}
	e, err := Stage().Expand(t.Context(), &c, stage.ExpandEnv{Dir: "/", Lookup: func(string) (string, bool) { return "", false }})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func part(t *testing.T, parts []stage.Part, name string) stage.Part {
	t.Helper()
	for _, p := range parts {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("no part %s in %v", name, parts)
	return stage.Part{}
}

func TestExpandsToTheSinksOfConfigPHP(t *testing.T) {
	e := expanded(t, Config{
		siteSettings: siteSettings{Settings: site.Settings{Dir: code(t, common)}}, partSettings: partSettings{Replace: "true"},
		preserveSettings: preserveSettings{Preserve: []string{"db/local_x", "dataroot/repository/a"}},
	})
	tables := part(t, e.Parts, "database")
	dsn, _ := tables.Settings["dsn"].(config.Secret)
	if !strings.Contains(dsn.Reveal(), "web:secret@db.example.org") {
		t.Errorf("the DSN is %s", dsn.Reveal())
	}
	delete(tables.Settings, "dsn")
	for name, want := range map[string]stage.Part{
		"database": {Use: "postgres", Settings: map[string]any{"prefix": "m_", "schema": "site", "replace": "true", "preserve": []string{"local_x"}, "replace_other_site": true}},
		"files":    {Use: "files", Settings: map[string]any{"dir": "/srv/data/filedir", "replace": "true", "owner": "user", "keep_setuid": false}},
		"dataroot": {Use: "dataroot", Settings: map[string]any{"dir": "/srv/data", "replace": "true", "preserve": []string{"repository/a"}, "owner": "user", "keep_setuid": false, "stays_closed": true}},
	} {
		if got := part(t, e.Parts, name); got.Use != want.Use || !reflect.DeepEqual(got.Settings, want.Settings) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if s := e.Standing; !reflect.DeepEqual(s.StructureOnly, []string{"sessions"}) || !reflect.DeepEqual(s.ExcludeTables, []string{"tool_vault_*"}) {
		t.Errorf("the selection is %+v", s)
	}
}

func TestDatabaseReplacesThatOfConfigPHP(t *testing.T) {
	e := expanded(t, Config{siteSettings: siteSettings{Settings: site.Settings{Dir: code(t, common), Database: &database.Address{Engine: "sqlite", Path: "/srv/site.sqlite", Prefix: "mdl_"}}}})
	p := part(t, e.Parts, "database")
	if want := map[string]any{"path": "/srv/site.sqlite", "prefix": "mdl_", "replace": "false", "replace_other_site": true}; p.Use != "sqlite" || !reflect.DeepEqual(p.Settings, want) {
		t.Errorf("the database is %v", p)
	}
}

func TestPreserveNamesPathsOfASnapshot(t *testing.T) {
	for path, ok := range map[string]bool{"db/a": true, "filedir/aa": true, "dataroot/x/y": true, "user": false, "db/": false, "site/x": false} {
		c := Config{preserveSettings: preserveSettings{Preserve: []string{path}}}
		if err := c.Validate(); (err == nil) != ok {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestPartsLimitWhatIsRestored(t *testing.T) {
	c := Config{siteSettings: siteSettings{Settings: site.Settings{Dir: code(t, common)}, Only: []string{"db"}}}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	if e := expanded(t, c); len(e.Parts) != 1 || part(t, e.Parts, "database").Use != "postgres" {
		t.Errorf("the parts are %v", e.Parts)
	}
	for _, wrong := range [][]string{{}, {"site"}, {"database"}} {
		c := Config{siteSettings: siteSettings{Only: wrong}}
		if c.Validate() == nil {
			t.Errorf("%v is accepted", wrong)
		}
	}
}

// A restore of files alone changes no rows, so that it brings no transforms of them.
func TestFilesAloneHaveNoTransforms(t *testing.T) {
	e := expanded(t, Config{siteSettings: siteSettings{Settings: site.Settings{Dir: code(t, common)}, Only: []string{stage.Filedir}}})
	if len(e.Parts) != 1 || e.Parts[0].Name != "files" || len(e.Transforms) > 0 {
		t.Errorf("the expansion is %+v", e)
	}
}

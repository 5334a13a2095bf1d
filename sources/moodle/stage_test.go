package moodle

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
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

func expand(t *testing.T, c Config, env map[string]string) (*stage.Expansion, error) {
	t.Helper()
	return Stage().Expand(t.Context(), &c, stage.ExpandEnv{Dir: "/", Lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok }})
}

// settings returns the settings of an expansion's parts, by name, with secrets in
// clear text.
func settings(e *stage.Expansion) map[string]map[string]any {
	all := map[string]map[string]any{}
	for _, p := range e.Parts {
		all[p.Name] = map[string]any{"use": p.Use}
		for key, value := range p.Settings {
			if secret, ok := value.(config.Secret); ok {
				value = secret.Reveal()
			}
			all[p.Name][key] = value
		}
	}
	return all
}

const common = `$CFG->dbhost = 'db.example.org'; $CFG->dbname = 'moodle'; $CFG->dbuser = 'web'; $CFG->dbpass = getenv('DBPASS');
$CFG->prefix = 'm_'; $CFG->wwwroot = 'https://moodle.example.org'; $CFG->dataroot = '/srv/data';
`

func TestExpandsConfigPHP(t *testing.T) {
	files := map[string]any{"use": "files", "dir": "/srv/data/filedir"}
	dataroot := map[string]any{"use": "dataroot", "dir": "/srv/data"}
	for name, c := range map[string]struct {
		php      string
		database map[string]any
	}{
		"mariadb":  {common + "$CFG->dbtype = 'mariadb';", map[string]any{"use": "mysql", "prefix": "m_"}},
		"postgres": {common + "$CFG->dbtype = 'pgsql'; $CFG->dboptions = ['dbschema' => 'site'];", map[string]any{"use": "postgres", "prefix": "m_", "schema": "site"}},
		"sqlite":   {common + "$CFG->dbtype = 'sqlite3'; $CFG->dboptions = ['file' => '/srv/site.sqlite'];", map[string]any{"use": "sqlite", "prefix": "m_", "path": "/srv/site.sqlite"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := code(t, c.php)
			e, err := expand(t, Config{Dir: dir}, map[string]string{"DBPASS": "secret"})
			if err != nil {
				t.Fatal(err)
			}
			got := settings(e)
			dsn, _ := got["database"]["dsn"].(string)
			if name != "sqlite" && (!strings.Contains(dsn, "secret") || !strings.Contains(dsn, "db.example.org")) {
				t.Errorf("the DSN is %s", dsn)
			}
			if own, ok := got["site"]["database"].(map[string]any); !ok || own["engine"] != got["database"]["use"] {
				t.Errorf("the source site has the database %v", got["site"]["database"])
			}
			delete(got["site"], "database")
			delete(got["database"], "dsn")
			if want := map[string]map[string]any{"database": c.database, "files": files, "dataroot": dataroot, "site": {"use": "site", "dir": dir, "config_php": false}}; !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			if !reflect.DeepEqual(e.Standing.StructureOnly, withoutRows) {
				t.Errorf("tables without rows: %q", e.Standing.StructureOnly)
			}
		})
	}
}

func TestSettingsReplaceWhatConfigPHPDoesNotSay(t *testing.T) {
	dir := code(t, common+"$CFG->dbtype = 'mariadb';\n$CFG->dbname = unknown_function();")
	_, err := expand(t, Config{Dir: dir}, nil)
	if err == nil || !strings.Contains(err.Error(), "config.php:6: dbname is not known") {
		t.Errorf("without dbname: %v", err)
	}
	e, err := expand(t, Config{Dir: dir, Settings: map[string]config.Secret{"dbname": config.NewSecret("given"), "dbpass": config.NewSecret("other")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if dsn := settings(e)["database"]["dsn"].(string); !strings.Contains(dsn, "web:other@") || !strings.Contains(dsn, "/given") {
		t.Errorf("the DSN is %s", dsn)
	}
}

func TestDirectoryWithoutConfigPHPIsRefused(t *testing.T) {
	dir := t.TempDir()
	if _, err := expand(t, Config{Dir: dir}, nil); err == nil || !strings.Contains(err.Error(), dir+" has no config.php; set dir to") {
		t.Errorf("%v", err)
	}
}

// parts limits what is read.
func TestPartsAreChosen(t *testing.T) {
	e, err := expand(t, Config{Dir: code(t, "$CFG->dbtype = 'mariadb'; "+common), partSettings: partSettings{Only: []string{"db"}}}, map[string]string{"DBPASS": "x"})
	if err != nil || len(e.Parts) != 2 || e.Parts[0].Name != "database" || e.Parts[1].Name != "site" {
		t.Errorf("the parts are %+v (%v)", e, err)
	}
	for _, wrong := range [][]string{{}, {"database"}} {
		if err := (&partSettings{Only: wrong}).check(); err == nil {
			t.Errorf("parts: %v is accepted", wrong)
		}
	}
}

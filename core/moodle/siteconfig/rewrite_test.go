package siteconfig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
)

const before = `<?php  // Moodle configuration file

unset($CFG);
global $CFG;
$CFG = new stdClass();

$CFG->dbtype    = 'mariadb';   // the engine
$CFG->dblibrary = 'native';
$CFG->dbhost    = 'db.example.org';
$CFG->dbname    = 'moodle';
$CFG->dbuser    = 'web';
$CFG->dbpass    = 'old';
$CFG->prefix    = 'mdl_';
$CFG->dboptions = array (
  'dbpersist' => 0,
  'dbport' => 3306,
  'dbsocket' => '',
  'dbcollation' => 'utf8mb4_unicode_ci',
  'logslow' => true,
);
$CFG->wwwroot   = 'https://moodle.example.org';
$CFG->dataroot  = '/srv/data';

require_once(__DIR__ . '/lib/setup.php');
`

var elsewhere = Database{
	Engine: Postgres, Type: "pgsql", Host: "pg.example.org", Port: 5433, Name: "moodle2", User: "web", Password: config.NewSecret(`it's \ new`),
	Prefix: "m_", Schema: "site", TLS: "require",
}

// rewritten rewrites a config.php for another database.
func rewritten(t *testing.T, src string, d Database, env map[string]string) Rewritten {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, FileName), []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	o := Options{Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
	s, err := Read(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Rewrite(t.Context(), o, d)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRewriteChangesOnlyTheDatabase(t *testing.T) {
	want := strings.NewReplacer(
		`'mariadb'`, `'pgsql'`, `'db.example.org'`, `'pg.example.org'`, `'moodle';`, `'moodle2';`, `'old'`, `'it\'s \\ new'`, `'mdl_'`, `'m_'`,
		"  'dbport' => 3306,\n  'dbsocket' => '',\n  'dbcollation' => 'utf8mb4_unicode_ci',\n  'logslow' => true,\n)",
		"  'logslow' => true,\n  'dbport' => 5433,\n  'dbschema' => 'site',\n  'ssl' => 'require',\n)").Replace(before)
	r := rewritten(t, before, elsewhere, nil)
	if r.Text != want {
		t.Errorf("got %s\nwant %s\nleft %v: %s", r.Text, want, r.Left, r.Why)
	}
	windows := strings.ReplaceAll(before, "\n", "\r\n")
	if r := rewritten(t, windows, elsewhere, nil); r.Text != strings.ReplaceAll(want, "\n", "\r\n") {
		t.Errorf("with Windows line ends: got %q", r.Text)
	}
}

func TestRewrittenFileNamesTheDatabase(t *testing.T) {
	short := "<?php $CFG = new stdClass(); $CFG->dbtype = 'pgsql'; $CFG->dbhost = 'a'; $CFG->dbname = 'b'; $CFG->dbuser = 'c'; $CFG->dataroot = '/d'; require('lib/setup.php');"
	for name, d := range map[string]Database{
		"PostgreSQL":        elsewhere,
		"PostgreSQL socket": {Engine: Postgres, Type: "pgsql", Socket: "/run/postgresql", Port: 5432, Name: "m", User: "w"},
		"MySQL":             {Engine: MySQL, Type: "mysqli", Host: "127.0.0.1", Port: 3307, Name: "m", User: "w", Password: config.NewSecret("p'"), Prefix: "mdl_", Collation: "utf8mb4_bin"},
		"MariaDB socket":    {Engine: MySQL, Type: "mariadb", Socket: "/run/m.sock", Port: 3306, Name: "m", User: "w", TLS: "verify-full"},
		"SQLite":            {Engine: SQLite, Type: "sqlite3", Path: "/srv/site.sqlite", Prefix: "mdl_"},
	} {
		t.Run(name, func(t *testing.T) {
			r := rewritten(t, short, d, nil) // which evaluates it
			if r.Left != nil || !strings.Contains(r.Text, "$CFG->dboptions = array (") {
				t.Errorf("left %v: %s\n%s", r.Left, r.Why, r.Text)
			}
		})
	}
}

func TestConfigThatDecidesIsNotEdited(t *testing.T) {
	for name, c := range map[string]struct{ old, new, why string }{
		"environment": {`'old'`, `getenv('DBPASS')`, "dbpass is not set once"},
		"condition":   {"$CFG->dbname    = 'moodle';", "if (getenv('TEST')) { $CFG->dbname = 'test'; } else { $CFG->dbname = 'moodle'; }", "dbname is not set once"},
		"twice":       {"$CFG->wwwroot", "$CFG->prefix = 'x_';\n$CFG->wwwroot", "prefix is not set once"},
		"element":     {"$CFG->wwwroot", "$CFG->dboptions['dbport'] = 1;\n$CFG->wwwroot", "dboptions is not set once"},
		"variable":    {"$CFG->wwwroot", "$name = 'dbhost'; $CFG->$name = 'other';\n$CFG->wwwroot", "other parts of it"},
	} {
		t.Run(name, func(t *testing.T) {
			r := rewritten(t, strings.Replace(before, c.old, c.new, 1), elsewhere, map[string]string{"DBPASS": "x"})
			if r.Text != "" || !strings.Contains(r.Why, c.why) || len(r.Left) != 7 {
				t.Errorf("%q, left %v", r.Why, r.Left)
			}
			for _, l := range r.Left {
				if strings.Contains(l.String(), "new") {
					t.Errorf("the password is shown: %s", l)
				}
			}
		})
	}
}

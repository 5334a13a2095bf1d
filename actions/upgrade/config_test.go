package upgrade

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/dialects/site"
)

// The temporary config.php says the same about database, data root and address as the
// site's own, whatever the password consists of.
func TestTemporaryConfigPHPIsThatOfTheSite(t *testing.T) {
	const usual = `$CFG->dbname = 'moodle'; $CFG->dbuser = 'web'; $CFG->prefix = ''; $CFG->wwwroot = 'https://moodle.example.org/x'; $CFG->dataroot = '/srv/it\'s data'; $CFG->directorypermissions = 0770;`
	for name, php := range map[string]string{
		"MySQL":             `$CFG->dbtype = 'mysqli'; $CFG->dbhost = 'db.example.org:3307';`,
		"MariaDB, socket":   `$CFG->dbtype = 'mariadb'; $CFG->dbhost = 'localhost'; $CFG->dboptions = ['dbsocket' => '/run/own/mysqld.sock', 'dbcollation' => 'utf8mb4_bin'];`,
		"Aurora, TLS":       `$CFG->dbtype = 'auroramysql'; $CFG->dbhost = '10.0.0.5'; $CFG->dboptions = ['ssl' => 'verify-full', 'connecttimeout' => 7];`,
		"PostgreSQL":        `$CFG->dbtype = 'pgsql'; $CFG->dbhost = '::1'; $CFG->dboptions = ['dbport' => 5433, 'dbschema' => 'site'];`,
		"PostgreSQL socket": `$CFG->dbtype = 'pgsql'; $CFG->dbhost = ''; $CFG->dboptions = ['dbsocket' => '/run/own'];`,
		"SQLite":            `$CFG->dbtype = 'sqlite3'; $CFG->dboptions = ['file' => '/srv/site.sqlite'];`,
	} {
		for _, password := range []string{"", "plain", `it's \ "$x" ${y} ?> <?php`, "ö日"} {
			t.Run(name, func(t *testing.T) {
				own, code := t.TempDir(), t.TempDir()
				for path, text := range map[string]string{
					filepath.Join(own, "config.php"): "<?php $CFG = new stdClass(); " + usual + php + " $CFG->dbpass = " + quoted(password) + ";", filepath.Join(code, "version.php"): "<?php",
				} {
					if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := (&site.Settings{Dir: own}).Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				remove, err := lend(code, want, account{self: true})
				if err != nil {
					t.Fatal(err)
				}
				got, err := (&site.Settings{Dir: code}).Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if a, b := about(t, got), about(t, want); !reflect.DeepEqual(a, b) {
					t.Errorf("got %+v, want %+v", a, b)
				}
				if _, err := lend(code, want, account{self: true}); err == nil {
					t.Error("config.php was overwritten")
				}
				if err := remove(); err != nil {
					t.Error(err)
				}
				if _, err := os.Stat(filepath.Join(code, "config.php")); err == nil {
					t.Error("config.php is left")
				}
			})
		}
	}
}

// about returns what an upgrade needs of a config.php.
func about(t *testing.T, s *site.Site) []any {
	t.Helper()
	d, err := s.Site.Database()
	if err != nil {
		t.Fatal(err)
	}
	root, err := s.DataRoot()
	if err != nil {
		t.Fatal(err)
	}
	address, err := s.WWWRoot()
	if err != nil {
		t.Fatal(err)
	}
	password := d.Password.Reveal()
	d.Password = config.Secret{}
	return []any{d, password, root, address, s.DirectoryPermissions()}
}

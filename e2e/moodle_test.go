package e2e

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/lmsvault/vault/internal/compare"
	"github.com/lmsvault/vault/internal/servers"
)

// configPHP is the config.php of a site in a test server's database.
func configPHP(t *testing.T, dbtype string, db servers.Database, dataroot string) string {
	t.Helper()
	var host, port, name, user string
	if dbtype == "pgsql" {
		u, err := url.Parse(db.DSN)
		if err != nil {
			t.Fatal(err)
		}
		host, port, name, user = u.Hostname(), u.Port(), filepath.Base(u.Path), u.User.Username()
	} else {
		c, err := mysql.ParseDSN(db.DSN)
		if err != nil {
			t.Fatal(err)
		}
		host, name, user = c.Addr, c.DBName, c.User
	}
	options := "$CFG->dboptions = ['dbport' => '" + port + "'];"
	if port == "" {
		options = ""
	}
	return fmt.Sprintf(`<?php  // Moodle configuration file
unset($CFG);
global $CFG;
$CFG = new stdClass();
$CFG->dbtype = '%s'; $CFG->dblibrary = 'native';
$CFG->dbhost = '%s'; $CFG->dbname = '%s'; $CFG->dbuser = '%s'; $CFG->dbpass = getenv('SITE_DBPASS') ?: '';
$CFG->prefix = 'mdl_';
%s
$CFG->wwwroot = 'https://moodle.example.org';
$CFG->dataroot = '%s';
require_once(__DIR__ . '/lib/setup.php');
`, dbtype, host, name, user, options, dataroot)
}

// password returns the password of a server's DSN.
func password(t *testing.T, db servers.Database) string {
	t.Helper()
	if u, err := url.Parse(db.DSN); err == nil && u.User != nil {
		word, _ := u.User.Password()
		return word
	}
	c, err := mysql.ParseDSN(db.DSN)
	if err != nil {
		t.Fatal(err)
	}
	return c.Passwd
}

// The code directory of a site is enough to back it up; no DSN is needed.
func TestBackupFromConfigPHP(t *testing.T) {
	for _, e := range []struct {
		dbtype, dialect string
		make            func(testing.TB) servers.Database
	}{{"mariadb", "mysql", servers.MariaDB}, {"mysqli", "mysql", servers.MySQL}, {"pgsql", "postgres", servers.Postgres}} {
		t.Run(e.dbtype, func(t *testing.T) {
			t.Parallel()
			server, dir := e.make(t), t.TempDir()
			env := []string{"DSN=" + server.DSN, "SITE_DBPASS=" + password(t, server)}
			must(t, env, "run", pipelineFile(t, fmt.Sprintf(`version: 1
source: [{use: sample}]
sink: [{use: %[2]s, with: {dsn: "${env:DSN}"}}, {use: files, with: {dir: %[1]s/data/filedir}}, {use: dataroot, with: {dir: %[1]s/data}}]
`, dir, e.dialect)))
			code := filepath.Join(dir, "moodle")
			if err := os.Mkdir(code, 0o755); err != nil {
				t.Fatal(err)
			}
			for name, text := range map[string]string{"config.php": configPHP(t, e.dbtype, server, filepath.Join(dir, "data")), "version.php": "<?php\n$version = 2024100706.00;\n$release = '4.5.6 (Build: 20250811)';\n$branch = '405';\n"} {
				if err := os.WriteFile(filepath.Join(code, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			must(t, env[1:], "run", pipelineFile(t, fmt.Sprintf(`version: 1
source: [{use: moodle, with: {dir: %[1]s/moodle}}]
sink: [{use: local, with: {dir: %[1]s/repo, create: true}}]
`, dir)))
			must(t, nil, "run", pipelineFile(t, fmt.Sprintf(`version: 1
source: [{use: local, with: {dir: %[1]s/repo, snapshot: latest}}]
sink: [{use: sqlite, with: {path: %[1]s/new.sqlite}}, {use: files, with: {dir: %[1]s/new/filedir}}, {use: dataroot, with: {dir: %[1]s/new}}]
`, dir)))
			// Everything except sessions is backed up.
			if _, err := server.SQL.ExecContext(t.Context(), "DELETE FROM mdl_sessions"); err != nil {
				t.Fatal(err)
			}
			from := compare.Database{Dialect: e.dialect, SQL: server.SQL, Prefix: "mdl_"}
			compare.Equal(t, compare.Site(t, from), compare.Site(t, sqliteAt(t, filepath.Join(dir, "new.sqlite"))))
			sameTree(t, tree(t, filepath.Join(dir, "data")), tree(t, filepath.Join(dir, "new")))
			// And to restore over it; the checks before that also need the password.
			if _, err := server.SQL.ExecContext(t.Context(), "DELETE FROM mdl_course"); err != nil {
				t.Fatal(err)
			}
			restored := vault(t, env[1:], "run", "--yes", "--allow-restore", pipelineFile(t, fmt.Sprintf(`version: 1
source: [{use: local, with: {dir: %[1]s/repo}}]
sink: [{use: moodle, with: {dir: %[1]s/moodle, replace: true}}]
`, dir)))
			var courses int
			if err := server.SQL.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM mdl_course").Scan(&courses); err != nil || courses != 25 || restored.code != 0 {
				t.Errorf("%d courses (%v); the restore exits with %d\n%s%s", courses, err, restored.code, restored.stdout, restored.stderr)
			}
		})
	}
}

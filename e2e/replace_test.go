package e2e

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lmsvault/vault/internal/compare"
	"github.com/lmsvault/vault/internal/lab"
	"github.com/lmsvault/vault/internal/servers"
)

// realSite is a lab site in a database, with its own config.php.
type realSite struct {
	dir, address, dialect string
	server                servers.Database
}

func newRealSite(t *testing.T, site, dialect, dbtype, address string, server servers.Database) realSite {
	t.Helper()
	s := realSite{lab.Unpack(t, site), address, dialect, server}
	lab.Load(t, filepath.Join(s.dir, "site.sql"), server, dialect)
	config := strings.Replace(configPHP(t, dbtype, server, filepath.Join(s.dir, "dataroot")), "https://moodle.example.org", address, 1)
	config = strings.Replace(config, "getenv('SITE_DBPASS') ?: ''", "'"+password(t, server)+"'", 1)
	config = strings.Replace(config, "require_once", "$CFG->country = 'NZ'; $CFG->forced_plugin_settings = ['quiz' => ['attempts' => 3]];\nrequire_once", 1)
	if err := os.WriteFile(filepath.Join(s.dir, "code/config.php"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s realSite) exec(t *testing.T, statement string) {
	t.Helper()
	if _, err := s.server.SQL.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func (s realSite) one(t *testing.T, query string) (value string) {
	t.Helper()
	if err := s.server.SQL.QueryRowContext(t.Context(), query).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}

// A backup of one real site replaces another one, on the other engine, with what a person
// may ask for: only with permission and the name of the site that is replaced. What is
// there afterwards is right by plain SQL: everything of the backup but what was changed on
// purpose, and Moodle would neither ask for an upgrade nor lead to the old address.
func TestRealSitesReplaceEachOther(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		site, dialect, dbtype       string
		home, away                  func(testing.TB) servers.Database
		other, otherDialect, otherT string
		accept, collation           string
		preserve                    string // of the site that is replaced
	}{
		{"my", "mysql", "mariadb", servers.MariaDB, servers.Postgres, "pg", "postgres", "pgsql", "{view: 1}", "", ""},
		{"pg", "postgres", "pgsql", servers.Postgres, servers.MariaDB, "my", "mysql", "mariadb", "{view: 1, index: 1, missing_file: 1}", "collation: utf8mb4_bin,", "preserve_plugins: [mod_attendance], preserve_passwords: true,"},
	} {
		t.Run(c.site, func(t *testing.T) {
			t.Parallel()
			old := newRealSite(t, c.other, c.otherDialect, c.otherT, "https://staging.example.org", c.away(t))
			site := newRealSite(t, c.site, c.dialect, c.dbtype, "http://127.0.0.1:8080/"+c.site, c.home(t))
			const insert = "INSERT INTO mdl_block_instances (blockname, parentcontextid, showinsubcontexts, requiredbytheme, pagetypepattern, defaultregion, defaultweight, configdata, timecreated, timemodified) VALUES "
			text := fmt.Sprintf(`O:8:"stdClass":1:{s:4:"text";s:%d:"see %s/course/view.php?id=2";}`, len("see "+site.address+"/course/view.php?id=2"), site.address)
			site.exec(t, insert+"('html', 1, 0, 0, '*', 'side-pre', 77, '"+base64.StdEncoding.EncodeToString([]byte(text))+"', 1, 1)")
			site.exec(t, "INSERT INTO mdl_sessions (state, sid, userid, timecreated, timemodified) VALUES (0, 'a session', 2, 1, 1)")
			repo := filepath.Join(t.TempDir(), "repo")
			must(t, nil, "run", pipelineFile(t, fmt.Sprintf(`version: 1
accept_loss: %s
select: {exclude_tables: [%s]}
source: [{use: moodle, with: {dir: %s/code}}]
sink: [{use: local, with: {dir: %s, create: true}}]
`, c.accept, odd, site.dir, repo)))

			restore := func(more string) string {
				return pipelineFile(t, fmt.Sprintf(`version: 1
accept_loss: %s
source: [{use: local, with: {dir: %s}}]
sink: [{use: moodle, with: {dir: %s/code, replace: true, %s reset_identifier: true, replace_address: true, %s %s}}]
`, c.accept, repo, old.dir, c.collation, c.preserve, more))
			}
			ownSettings := old.one(t, "SELECT COUNT(*) FROM mdl_config_plugins WHERE plugin = 'tool_vault'")
			identifier := old.one(t, "SELECT value FROM mdl_config WHERE name = 'siteidentifier'")
			for _, refused := range []string{"allow_restore: false", "allow_restore: true"} {
				if o := vault(t, nil, "run", restore(refused), "--yes"); o.code != 3 || !strings.Contains(o.stderr, "restore-guard") {
					t.Errorf("with %s the run exits with %d and says\n%s", refused, o.code, o.stderr)
				}
			}
			old.exec(t, "UPDATE mdl_user SET password = 'kept' WHERE username = 'admin' AND auth = 'manual'")
			attendances := old.one(t, "SELECT COUNT(*) FROM mdl_attendance_statuses")
			must(t, nil, "run", restore("allow_restore: true, replace_site: "+identifier), "--yes")

			now := compare.Site(t, compare.Database{Dialect: old.dialect, SQL: old.server.SQL, Prefix: "mdl_"})
			want := compare.Site(t, compare.Database{Dialect: site.dialect, SQL: site.server.SQL, Prefix: "mdl_"})
			changed := []string{odd, "config", "config_plugins", "course", "block_instances"}
			// The backup has no rows of the caches; a safe copy has no queued tasks.
			changed = append(changed, "sessions", "cache_flags", "task_adhoc")
			// The target keeps the rows of its own tool_vault, with new numbers.
			changed = append(changed, "message_providers", "task_scheduled")
			if c.preserve != "" {
				changed = append(changed, "user", "capabilities", "external_functions", "external_services", "external_services_functions", "tag_area", "files", "log_display")
				if got := old.one(t, "SELECT password FROM mdl_user WHERE username = 'admin'"); got != "kept" {
					t.Errorf("the password of the administrator is %s", got)
				}
				if got := old.one(t, "SELECT COUNT(*) FROM mdl_attendance_statuses"); got != attendances {
					t.Errorf("the preserved plugin has %s rows in a table that had %s", got, attendances)
				}
			}
			for name := range want {
				if c.preserve != "" && strings.HasPrefix(name, "attendance") {
					changed = append(changed, name)
				}
				if strings.HasPrefix(name, "tool_vault_") || hasAddress(t, site, name) {
					changed = append(changed, name)
				}
			}
			compare.Equal(t, want, now, changed...)
			sameContents(t, filepath.Join(site.dir, "dataroot/filedir"), filepath.Join(old.dir, "dataroot/filedir"))

			for query, want := range map[string]string{
				"SELECT COUNT(*) FROM mdl_sessions":                                                "0",
				"SELECT value FROM mdl_config WHERE name = 'country'":                              "NZ",
				"SELECT value FROM mdl_config_plugins WHERE plugin = 'quiz' AND name = 'attempts'": "3",
				"SELECT COUNT(*) FROM mdl_config_plugins WHERE plugin = 'tool_vault'":              ownSettings,
				"SELECT value FROM mdl_config WHERE name = 'version'":                              site.one(t, "SELECT value FROM mdl_config WHERE name = 'version'"),
				"SELECT COUNT(*) FROM mdl_user":                                                    site.one(t, "SELECT COUNT(*) FROM mdl_user"),
				"SELECT COUNT(*) FROM mdl_config WHERE value LIKE '%" + site.address + "%'":        "0",
				"SELECT COUNT(*) FROM mdl_course WHERE cacherev > 1700000000":                      site.one(t, "SELECT COUNT(*) FROM mdl_course"),
			} {
				if got := old.one(t, query); got != want {
					t.Errorf("%s is %s, want %s", query, got, want)
				}
			}
			if id := old.one(t, "SELECT value FROM mdl_config WHERE name = 'siteidentifier'"); !regexp.MustCompile(`^[A-Za-z0-9]{32}staging\.example\.org$`).MatchString(id) {
				t.Errorf("the identifier is %s", id)
			}
			data, err := base64.StdEncoding.DecodeString(old.one(t, "SELECT configdata FROM mdl_block_instances WHERE defaultweight = 77"))
			if link := "see https://staging.example.org/course/view.php?id=2"; err != nil || string(data) != fmt.Sprintf(`O:8:"stdClass":1:{s:4:"text";s:%d:"%s";}`, len(link), link) {
				t.Errorf("the block has %s (%v)", data, err)
			}
		})
	}
}

// hasAddress reports whether a table of a site names its address.
func hasAddress(t *testing.T, s realSite, table string) bool {
	t.Helper()
	rows, err := s.server.SQL.QueryContext(t.Context(), "SELECT * FROM mdl_"+table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values, to := make([][]byte, len(columns)), make([]any, len(columns))
	for i := range values {
		to[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			if strings.Contains(string(v), "127.0.0.1:8080") || strings.Contains(string(v), `127.0.0.1%3A8080`) {
				return true
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return false
}

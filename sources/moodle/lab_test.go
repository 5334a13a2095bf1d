package moodle

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	mysqldriver "github.com/go-sql-driver/mysql"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/lab"
	"github.com/lmsvault/vault/internal/servers"
	"github.com/lmsvault/vault/sources/mysql"
	"github.com/lmsvault/vault/sources/postgres"
)

// labSite returns the settings of the source for a real site in a test server's database.
func labSite(t *testing.T, dir, dialect, dsn string) Config {
	t.Helper()
	given := map[string]string{"dbtype": "mariadb", "prefix": "mdl_", "dboptions.dbport": "", "dataroot": filepath.Join(dir, "dataroot")}
	if dialect == "postgres" {
		u, err := url.Parse(dsn)
		if err != nil {
			t.Fatal(err)
		}
		given["dbtype"], given["dbhost"], given["dboptions.dbport"], given["dbname"], given["dbuser"] = "pgsql", u.Hostname(), u.Port(), strings.Trim(u.Path, "/"), u.User.Username()
		given["dbpass"], _ = u.User.Password()
	} else {
		d, err := mysqldriver.ParseDSN(dsn)
		if err != nil {
			t.Fatal(err)
		}
		given["dbhost"], given["dbname"], given["dbuser"], given["dbpass"] = d.Addr, d.DBName, d.User, d.Passwd
	}
	c := Config{Dir: filepath.Join(dir, "code"), Settings: map[string]config.Secret{}}
	for name, value := range given {
		c.Settings[name] = config.NewSecret(value)
	}
	return c
}

// online expands the source as a run does.
func online(t *testing.T, c Config) *stage.Expansion {
	t.Helper()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	e, err := Stage().Expand(t.Context(), &c, stage.ExpandEnv{Dir: "/", Lookup: os.LookupEnv, Online: true})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// counted plans the source of an expansion's tables and counts the rows that it reads.
func counted(t *testing.T, s stage.Stage, e *stage.Expansion) (map[string]int64, *stage.Inventory) {
	t.Helper()
	cfg := s.Config()
	if err := config.AssignValues(e.Parts[0].Settings, cfg); err != nil {
		t.Fatal(err)
	}
	source, err := s.NewSource(t.Context(), cfg, stage.Env{Workers: 1, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := source.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	chosen := e.Selection
	chosen.Add(e.Standing)
	inv, err := source.Plan(t.Context(), stage.PlanRequest{Selection: chosen})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int64{}
	for _, table := range inv.Tables {
		if counts[table.Schema.Name], err = source.(stage.Counter).Count(t.Context(), table.Schema.Name); err != nil {
			t.Fatal(err)
		}
	}
	return counts, inv
}

// sharedRows are the rows of plugins in tables of Moodle in plain SQL. PLUGINS is a
// list of names in quotes.
var sharedRows = map[string]string{
	"external_services": "component IN (PLUGINS)", "external_functions": "component IN (PLUGINS)", "event": "component IN (PLUGINS)", "task_adhoc": "component IN (PLUGINS)",
	"task_scheduled": "component IN (PLUGINS)", "messageinbound_handlers": "component IN (PLUGINS)", "log_display": "component IN (PLUGINS)", "tag_area": "component IN (PLUGINS)",
	"tag_coll": "component IN (PLUGINS)", "tag_instance": "component IN (PLUGINS)", "message_providers": "component IN (PLUGINS)", "capabilities": "component IN (PLUGINS)", "files": "component IN (PLUGINS)",
	"messageinbound_datakeys":     "handler IN (SELECT id FROM mdl_messageinbound_handlers WHERE component IN (PLUGINS))",
	"external_tokens":             "externalserviceid IN (SELECT id FROM mdl_external_services WHERE component IN (PLUGINS))",
	"external_services_users":     "externalserviceid IN (SELECT id FROM mdl_external_services WHERE component IN (PLUGINS))",
	"external_services_functions": "functionname IN (SELECT name FROM mdl_external_functions WHERE component IN (PLUGINS))",
	"role_capabilities":           "capability IN (SELECT name FROM mdl_capabilities WHERE component IN (PLUGINS))",
	"config_plugins": "plugin IN (PLUGINS, 'quiz', 'attendance', 'tool_vault') OR plugin = 'message' AND " +
		"(name LIKE '%|_provider|_mod|_quiz|_%' ESCAPE '|' OR name LIKE '%|_provider|_mod|_attendance|_%' ESCAPE '|' OR name LIKE '%|_provider|_block|_recent|_activity|_%' ESCAPE '|')",
	"user_preferences": "name LIKE 'message|_provider|_mod|_quiz|_%' ESCAPE '|' OR name LIKE 'message|_provider|_mod|_attendance|_%' ESCAPE '|'",
}

// An activity, an add-on and a block are left out of a real site: what is read is what
// plain SQL counts without them.
func TestPluginsOfRealSitesAreLeftOut(t *testing.T) {
	plugins := []string{"mod_quiz", "mod_attendance", "block_recent_activity"}
	for _, c := range []struct {
		site, dialect string
		server        func(testing.TB) servers.Database
		stage         stage.Stage
	}{{"my", "mysql", servers.MariaDB, mysql.Stage()}, {"pg", "postgres", servers.Postgres, postgres.Stage()}} {
		t.Run(c.site, func(t *testing.T) {
			t.Parallel()
			dir, db := lab.Unpack(t, c.site), c.server(t)
			lab.Load(t, filepath.Join(dir, "site.sql"), db, c.dialect)
			for _, statement := range []string{
				"INSERT INTO mdl_external_services (name, enabled, restrictedusers, component, timecreated) VALUES ('ours', 1, 0, 'mod_quiz', 1), ('theirs', 1, 0, 'mod_data', 1)",
				"INSERT INTO mdl_external_tokens (token, tokentype, userid, externalserviceid, contextid, creatorid, timecreated) SELECT name, 1, 2, id, 1, 2, 1 FROM mdl_external_services WHERE name IN ('ours', 'theirs')",
				"INSERT INTO mdl_user_preferences (userid, name, value) VALUES (2, 'message_provider_mod_quiz_submission_enabled', 'popup'), (2, 'message_provider_mod_data_x_enabled', 'popup')",
				"INSERT INTO mdl_lock_db (resourcekey, expires, owner) VALUES ('cron', 1, 'x')",
			} {
				if _, err := db.SQL.ExecContext(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			cfg := labSite(t, dir, c.dialect, db.DSN)
			cfg.Exclude = exclude{Plugins: plugins, Tables: []string{"mdl_zzz_*", "badge_issued"}, StructureOnly: []string{"mdl_logstore_standard_log"}, Dataroot: []string{"models"}}
			e := online(t, cfg)
			got, inv := counted(t, c.stage, e)

			own := []string{"zzz_custom", "zzz_plain", "zzz_nopk", "zzz_empty", "badge_issued"}
			for _, folder := range []string{"mod/quiz", "mod/attendance", "blocks/recent_activity"} {
				own = append(own, definedIn(t, filepath.Join(dir, "code", folder, "db/install.xml"))...)
			}
			want := map[string]int64{}
			for name := range tablesOf(t, db.SQL, c.dialect) {
				if slices.Contains(own, name) || strings.HasPrefix(name, "tool_vault_") {
					continue
				}
				query := "SELECT COUNT(*) FROM mdl_" + name
				if where := sharedRows[name]; where != "" {
					query += " WHERE (" + strings.ReplaceAll(where, "PLUGINS", "'"+strings.Join(plugins, "', '")+"'") + ") IS NOT TRUE"
				}
				if slices.Contains([]string{"sessions", "lock_db", "cache_flags", "mnet_session", "logstore_standard_log"}, name) {
					query += " WHERE 1 = 0"
				}
				want[name] = count(t, db.SQL, query)
			}
			if len(want) < 450 {
				t.Fatalf("only %d tables are expected", len(want))
			}
			for name := range want {
				if n, ok := got[name]; !ok || n != want[name] {
					t.Errorf("%s: read %d rows (%v), want %d", name, n, ok, want[name])
				}
			}
			for name := range got {
				if _, ok := want[name]; !ok {
					t.Errorf("%s is read", name)
				}
			}
			for _, name := range []string{"capabilities", "role_capabilities", "config_plugins", "external_tokens", "user_preferences", "external_services_functions"} {
				if all := count(t, db.SQL, "SELECT COUNT(*) FROM mdl_"+name); all == want[name] {
					t.Errorf("%s: nothing is left out", name)
				}
			}
			if plugins := inv.Facts["moodle_plugins"]; strings.Contains(plugins, "mod_quiz\"") || strings.Contains(plugins, "tool_vault") || !strings.Contains(plugins, "mod_checklist") {
				t.Errorf("the installed plugins are %s", plugins)
			}
			if !slices.Contains(e.Selection.ExcludeFiles, "dataroot/models") {
				t.Errorf("the files that are left out are %q", e.Selection.ExcludeFiles)
			}
			notes := fmt.Sprint(e.Notes)
			for _, text := range []string{"mod_quiz is left out, but the backup still has what refers to it: its activities in courses", "but not its subplugins quiz_grading", "block_recent_activity is left out, but"} {
				if !strings.Contains(notes, text) {
					t.Errorf("no note has %q: %s", text, notes)
				}
			}
		})
	}
}

var tableName = regexp.MustCompile(`<TABLE NAME="([^"]+)"`)

// definedIn returns the tables of an install.xml.
func definedIn(t *testing.T, file string) (names []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range tableName.FindAllSubmatch(text, -1) {
		names = append(names, string(m[1]))
	}
	return names
}

func count(t *testing.T, db *sql.DB, query string) (n int64) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// tablesOf returns the names of a site's tables, without prefix.
func tablesOf(t *testing.T, db *sql.DB, dialect string) map[string]bool {
	t.Helper()
	schema := "DATABASE()"
	if dialect == "postgres" {
		schema = "current_schema()"
	}
	rows, err := db.QueryContext(t.Context(), "SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_schema = "+schema)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if rest, ok := strings.CutPrefix(name, "mdl_"); ok {
			names[rest] = true
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}

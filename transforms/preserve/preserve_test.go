package preserve_test

import (
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the driver sqlite

	"github.com/lmsvault/vault/builtin"
	"github.com/lmsvault/vault/core/engine"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/run"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/servers"
)

// structure of the tables in both sites.
const structure = `
CREATE TABLE mdl_config (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, value TEXT);
CREATE TABLE mdl_config_plugins (id INTEGER PRIMARY KEY AUTOINCREMENT, plugin TEXT, name TEXT, value TEXT);
CREATE TABLE mdl_user (id INTEGER PRIMARY KEY AUTOINCREMENT, auth TEXT, deleted INTEGER, mnethostid INTEGER, username TEXT, password TEXT);
CREATE TABLE mdl_external_services (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, component TEXT);
CREATE TABLE mdl_external_functions (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, component TEXT);
CREATE TABLE mdl_external_services_functions (id INTEGER PRIMARY KEY AUTOINCREMENT, externalserviceid INTEGER, functionname TEXT);
CREATE TABLE mdl_external_tokens (id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT, externalserviceid INTEGER);
CREATE TABLE mdl_capabilities (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, component TEXT);
CREATE TABLE mdl_role_capabilities (id INTEGER PRIMARY KEY AUTOINCREMENT, capability TEXT, permission INTEGER);
CREATE TABLE mdl_task_adhoc (id INTEGER PRIMARY KEY AUTOINCREMENT, component TEXT, classname TEXT, userid INTEGER);
CREATE TABLE mdl_tag_coll (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, component TEXT);
CREATE TABLE mdl_tag_area (id INTEGER PRIMARY KEY AUTOINCREMENT, component TEXT, itemtype TEXT, tagcollid INTEGER);
CREATE TABLE mdl_event (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, component TEXT);
CREATE TABLE mdl_files (id INTEGER PRIMARY KEY AUTOINCREMENT, contenthash TEXT, component TEXT, userid INTEGER, referencefileid INTEGER);
`

// The backup's rows and the target's, which has a column more.
const (
	backup = structure + `
INSERT INTO mdl_config (name, value) VALUES ('siteidentifier', 'new'), ('mod_x_colour', 'backup'), ('mod_y_colour', 'backup');
INSERT INTO mdl_config_plugins (plugin, name, value) VALUES ('mod_x', 'version', '1'), ('x', 'limit', 'backup'), ('mod_y', 'version', '1'), ('message', 'email_provider_mod_x_n_enabled', 'backup'), ('message', 'email_provider_mod_y_n_enabled', 'backup');
INSERT INTO mdl_user (auth, deleted, mnethostid, username, password) VALUES ('manual', 0, 1, 'ada', 'b-ada'), ('manual', 0, 1, 'bob', 'b-bob'), ('ldap', 0, 1, 'cat', 'not cached'), ('manual', 0, 1, 'new', 'b-new'), ('manual', 0, 3, 'ada', 'b-remote');
INSERT INTO mdl_external_services (name, component) VALUES ('core', 'moodle'), ('X of the backup', 'mod_x');
INSERT INTO mdl_external_functions (name, component) VALUES ('mod_x_read', 'mod_x'), ('mod_x_app', 'mod_x'), ('mod_y_read', 'mod_y');
INSERT INTO mdl_external_services_functions (externalserviceid, functionname) VALUES (1, 'mod_x_app'), (1, 'mod_y_read'), (2, 'mod_x_read');
INSERT INTO mdl_external_tokens (token, externalserviceid) VALUES ('backup', 1);
INSERT INTO mdl_capabilities (name, component) VALUES ('mod/x:view', 'mod_x'), ('mod/y:view', 'mod_y');
INSERT INTO mdl_role_capabilities (capability, permission) VALUES ('mod/x:view', 1);
INSERT INTO mdl_task_adhoc (component, classname, userid) VALUES ('mod_x', 'backup', NULL), ('mod_x', 'of a user', 5);
INSERT INTO mdl_tag_coll (name, component) VALUES ('default', NULL), ('b', NULL), ('X', 'mod_x');
INSERT INTO mdl_tag_area (component, itemtype, tagcollid) VALUES ('core', 'course', 1), ('mod_x', 'thing', 3);
INSERT INTO mdl_event (name, component) VALUES ('backup', 'mod_x');
INSERT INTO mdl_files (contenthash, component, userid, referencefileid) VALUES ('b1', 'mod_x', 4, NULL), ('b2', 'mod_x', 4, 9), ('b3', 'mod_y', 4, NULL);
`
	target = structure + `
ALTER TABLE mdl_capabilities ADD COLUMN own TEXT;
INSERT INTO mdl_config (name, value) VALUES ('siteidentifier', 'old'), ('mod_x_colour', 'target'), ('mod_x_shape', 'target'), ('mod_y_colour', 'target');
INSERT INTO mdl_config_plugins (plugin, name, value) VALUES ('mod_x', 'version', '2'), ('x', 'limit', 'target'), ('mod_y', 'version', '2'), ('message', 'email_provider_mod_x_n_enabled', 'target'), ('message', 'popup_provider_mod_x_n_enabled', 'target');
INSERT INTO mdl_user (auth, deleted, mnethostid, username, password) VALUES ('manual', 0, 1, 'gone', 't-gone'), ('manual', 0, 1, 'ada', 't-ada'), ('cas', 0, 1, 'bob', 'not cached'), ('manual', 0, 1, 'cat', 't-cat'), ('manual', 1, 1, 'new', 't-deleted');
INSERT INTO mdl_external_services (name, component) VALUES ('core', 'moodle'), ('mine', NULL), ('other', NULL), ('X of the target', 'mod_x'), ('X too', 'mod_x');
INSERT INTO mdl_external_functions (name, component) VALUES ('mod_x_read', 'mod_x'), ('mod_x_write', 'mod_x'), ('mod_x_app', 'mod_x'), ('mod_y_read', 'mod_y');
INSERT INTO mdl_external_services_functions (externalserviceid, functionname) VALUES (1, 'mod_x_app'), (4, 'mod_x_read'), (5, 'mod_x_read'), (5, 'mod_x_write');
INSERT INTO mdl_external_tokens (token, externalserviceid) VALUES ('target', 4);
INSERT INTO mdl_capabilities (name, component, own) VALUES ('mod/x:view', 'mod_x', 'z'), ('mod/x:edit', 'mod_x', 'z');
INSERT INTO mdl_role_capabilities (capability, permission) VALUES ('mod/x:edit', 1);
INSERT INTO mdl_task_adhoc (component, classname, userid) VALUES ('mod_x', 'target', NULL), ('mod_x', 'of another user', 6);
INSERT INTO mdl_tag_coll (name, component) VALUES ('default', NULL), ('X of the target', 'mod_x');
INSERT INTO mdl_tag_area (component, itemtype, tagcollid) VALUES ('core', 'course', 1), ('mod_x', 'thing', 2), ('mod_x', 'more', 1);
INSERT INTO mdl_event (name, component) VALUES ('target', 'mod_x');
INSERT INTO mdl_files (contenthash, component, userid, referencefileid) VALUES ('t1', 'mod_x', 7, NULL), ('t2', 'mod_x', 7, 8), ('t3', 'mod_y', 7, NULL);
`
)

// site creates a database.
func site(t *testing.T, statements string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "site.sqlite")
	db := open(t, path)
	if _, err := db.ExecContext(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// mariaDB creates the target on a server and returns the settings of its address.
func mariaDB(t *testing.T) string {
	t.Helper()
	server := servers.MariaDB(t)
	for statement := range strings.SplitSeq(strings.ReplaceAll(target, "INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT AUTO_INCREMENT PRIMARY KEY"), ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := server.SQL.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprintf("engine: mysql, dsn: %q", server.DSN)
}

// sqlite creates the target in a file and returns the settings of its address.
func sqlite(t *testing.T) string {
	return fmt.Sprintf("engine: sqlite, path: %q", site(t, target))
}

// restored restores the backup beside the target with these settings.
func restored(t *testing.T, address, settings string) (*sql.DB, *run.Result) {
	t.Helper()
	reg, err := builtin.Stages()
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "new.sqlite")
	text := fmt.Sprintf("version: 1\nsource: [{use: sqlite, with: {path: %q}}]\ntransform: [{use: preserve, with: {%s, %s}}]\nsink: [{use: sqlite, with: {path: %q}}]\n",
		site(t, backup), address, settings, to)
	p, found := pipeline.Parse("restore.yaml", []byte(text), pipeline.Options{Registry: reg})
	if p == nil {
		t.Fatal(found)
	}
	job, err := engine.Build(t.Context(), p, reg, stage.Env{Log: slog.New(slog.DiscardHandler), TempDir: t.TempDir()}, progress.Silent{})
	if err != nil {
		t.Fatal(err)
	}
	result, err := job.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := job.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return open(t, to), result
}

// values returns the rows of a query, with spaces between values.
func values(t *testing.T, db *sql.DB, columns, rest string) []string {
	t.Helper()
	query := "SELECT " + strings.ReplaceAll("coalesce("+strings.ReplaceAll(columns, ", ", ", '-') || ' ' || coalesce(")+", '-')", "  ", " ") + " FROM " + rest
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// Rows of a plugin are those of the target, with IDs that refer to each other; what belongs
// to users and courses, and all other plugins, are those of the backup.
func TestPluginKeepsItsRows(t *testing.T) {
	for name, address := range map[string]func(*testing.T) string{"SQLite": sqlite, "MariaDB": mariaDB} {
		t.Run(name, func(t *testing.T) { keepsRows(t, address(t)) })
	}
}

func keepsRows(t *testing.T, address string) {
	db, result := restored(t, address, "plugins: [mod_x]")
	for _, c := range []struct {
		columns, from string
		want          []string
	}{
		{"name, value", "mdl_config", []string{"mod_x_colour target", "mod_x_shape target", "mod_y_colour backup", "siteidentifier new"}},
		{"plugin, name, value", "mdl_config_plugins", []string{
			"message email_provider_mod_x_n_enabled target", "message email_provider_mod_y_n_enabled backup", "message popup_provider_mod_x_n_enabled target",
			"mod_x version 2", "mod_y version 1", "x limit target",
		}},
		{"name, component", "mdl_external_services", []string{"X of the target mod_x", "X too mod_x", "core moodle"}},
		{"name", "mdl_external_functions", []string{"mod_x_app", "mod_x_read", "mod_x_write", "mod_y_read"}},
		{"s.name, f.functionname", "mdl_external_services_functions f LEFT JOIN mdl_external_services s ON s.id = f.externalserviceid", []string{
			"X of the target mod_x_read", "X too mod_x_read", "X too mod_x_write", "core mod_x_app", "core mod_y_read",
		}},
		{"token", "mdl_external_tokens", []string{"backup"}},
		{"name", "mdl_capabilities", []string{"mod/x:edit", "mod/x:view", "mod/y:view"}},
		{"capability", "mdl_role_capabilities", []string{"mod/x:view"}},
		{"classname", "mdl_task_adhoc", []string{"of a user", "target"}},
		{"name", "mdl_tag_coll", []string{"X of the target", "b", "default"}},
		{"a.itemtype, c.name", "mdl_tag_area a LEFT JOIN mdl_tag_coll c ON c.id = a.tagcollid", []string{"course default", "more default", "thing X of the target"}},
		{"name", "mdl_event", []string{"backup"}},
		{"contenthash, userid", "mdl_files", []string{"b2 4", "b3 4", "t1 -"}},
		{"username, password", "mdl_user", []string{"ada b-ada", "ada b-remote", "bob b-bob", "cat not cached", "new b-new"}},
	} {
		if got := values(t, db, c.columns, c.from); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%q, want\n%q", c.from, got, c.want)
		}
	}
	var texts []string
	for _, n := range result.Notes {
		texts = append(texts, n.Text)
	}
	if all := strings.Join(texts, "\n"); !strings.Contains(all, "mod_x keeps 21 rows of the target") || !strings.Contains(all, "its activities in courses") {
		t.Errorf("the notes are %s", all)
	}
}

// A password stays only where both sides have it.
func TestPasswordsStayForManualAccounts(t *testing.T) {
	db, result := restored(t, mariaDB(t), "passwords: true")
	want := []string{"ada b-remote", "ada t-ada", "bob b-bob", "cat not cached", "new b-new"}
	if got := values(t, db, "username, password", "mdl_user"); !slices.Equal(got, want) {
		t.Errorf("the passwords are %q, want %q", got, want)
	}
	if !slices.ContainsFunc(result.Notes, func(n stage.Note) bool {
		return strings.Contains(n.Text, "the passwords of 2 users come from the backup")
	}) {
		t.Errorf("the notes are %v", result.Notes)
	}
	if got := values(t, db, "name, value", "mdl_config"); !slices.Contains(got, "mod_x_colour backup") {
		t.Errorf("the settings are %q", got)
	}
}

package removemissing_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/actions/removemissing"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/dialects/site"
	"github.com/lmsvault/vault/internal/servers"
)

var engines = map[string]func(t *testing.T) database.Address{
	"MariaDB": func(t *testing.T) database.Address {
		return database.Address{Engine: "mysql", DSN: config.NewSecret(servers.MariaDB(t).DSN), Prefix: "m_"}
	},
	"MySQL": func(t *testing.T) database.Address {
		return database.Address{Engine: "mysql", DSN: config.NewSecret(servers.MySQL(t).DSN), Prefix: "m_"}
	},
	"PostgreSQL": func(t *testing.T) database.Address {
		return database.Address{Engine: "postgres", DSN: config.NewSecret(servers.Postgres(t).DSN), Prefix: "m_"}
	},
	"SQLite": sqlite,
}

func sqlite(t *testing.T) database.Address {
	path := filepath.Join(t.TempDir(), "site.sqlite")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return database.Address{Engine: "sqlite", Path: path, Prefix: "m_"}
}

// code writes the code of a site with the activity page and the table page.
func code(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"config.php":              "<?php $CFG = new stdClass(); $CFG->wwwroot = 'https://moodle.example.org';",
		"version.php":             "<?php $version = 2024100706.00; $release = '4.5.6 (Build: 20250811)'; $branch = '405';",
		"lib/components.json":     `{"plugintypes": {"mod": "mod", "local": "local", "block": "blocks"}, "subsystems": {}}`,
		"lib/plugins.json":        `{"standard": {"mod": ["page", "book"]}, "deleted": {"block": ["former"]}}`,
		"lib/db/install.xml":      xml("config", "quest_core"),
		"mod/page/version.php":    "<?php $plugin->component = 'mod_page'; $plugin->version = 2024100700;",
		"mod/page/db/install.xml": xml("page", "quest_of_page"),
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func xml(tables ...string) string {
	var b strings.Builder
	b.WriteString(`<XMLDB PATH="x" VERSION="1"><TABLES>`)
	for _, name := range tables {
		fmt.Fprintf(&b, `<TABLE NAME="%s"><FIELDS><FIELD NAME="id" TYPE="int" LENGTH="10" NOTNULL="true" SEQUENCE="true"/></FIELDS><KEYS><KEY NAME="primary" TYPE="primary" FIELDS="id"/></KEYS></TABLE>`, name)
	}
	return b.String() + `</TABLES></XMLDB>`
}

// The tables of the site, with their columns besides id, and their rows.
var tables = []struct {
	name, columns string
	rows          []string
}{
	{"config", "name VARCHAR(100), value VARCHAR(100)", []string{"1, 'version', '2024100706.00'", "2, 'local_gone_key', 'x'", "3, 'local_goner', 'y'", "4, 'mod_quest_x', 'z'"}},
	{"config_plugins", "plugin VARCHAR(100), name VARCHAR(100), value VARCHAR(100)", []string{
		"1, 'mod_page', 'version', '2024100700'", "2, 'mod_quest', 'version', '1'", "3, 'local_gone', 'version', '1'", "4, 'block_gone', 'version', '1'", "5, 'quest', 'timeout', '9'",
		"6, 'message', 'email_provider_mod_quest_done_enabled', '1'", "7, 'message', 'email_provider_mod_page_done_enabled', '1'", "8, 'local_gone', 'a', 'b'",
		"9, 'block_former', 'version', '1'", "10, 'mod_book', 'version', '1'",
	}},
	{"quest", "name VARCHAR(100)", []string{"1, 'q'"}}, {"quest_answers", "name VARCHAR(100)", nil}, {"quest_core", "name VARCHAR(100)", []string{"1, 'kept'"}},
	{"quest_of_page", "name VARCHAR(100)", nil}, {"page", "name VARCHAR(100)", nil}, {"local_gone_data", "name VARCHAR(100)", []string{"1, 'x'"}}, {"local_goners", "name VARCHAR(100)", nil},
	{"modules", "name VARCHAR(100)", []string{"1, 'page'", "2, 'quest'"}},
	{"course_modules", "course BIGINT, module BIGINT", []string{"10, 5, 1", "11, 5, 2", "12, 6, 1"}},
	{"course_sections", "course BIGINT, sequence VARCHAR(100)", []string{"1, 5, '10,11'", "2, 5, '11'", "3, 6, '12'", "4, 5, NULL"}},
	{"course", "cacherev BIGINT", []string{"5, 100", "6, 100"}},
	{"grade_items", "itemtype VARCHAR(100), itemmodule VARCHAR(100)", []string{"1, 'mod', 'quest'", "2, 'mod', 'page'", "3, 'course', NULL"}},
	{"grade_grades", "itemid BIGINT", []string{"1, 1", "2, 2", "3, 3"}},
	{"capabilities", "name VARCHAR(100), component VARCHAR(100)", []string{"1, 'mod/quest:view', 'mod_quest'", "2, 'mod/page:view', 'mod_page'"}},
	{"role_capabilities", "capability VARCHAR(100)", []string{"1, 'mod/quest:view'", "2, 'mod/page:view'"}},
	{"files", "component VARCHAR(100)", []string{"1, 'mod_quest'", "2, 'mod_page'", "3, 'local_gone'"}},
	{"task_scheduled", "component VARCHAR(100)", []string{"1, 'local_gone'", "2, 'moodle'"}},
	{"block", "name VARCHAR(100)", []string{"1, 'gone'", "2, 'html'"}}, {"block_instances", "blockname VARCHAR(100)", []string{"1, 'gone'", "2, 'html'"}},
	{"block_positions", "blockinstanceid BIGINT", []string{"1, 1", "2, 2"}},
	{"user_preferences", "name VARCHAR(100)", []string{"1, 'message_provider_local_gone_x'", "2, 'message_provider_local_goner_x'"}},
}

// want are the rows that stay, by table; nil for a dropped table.
var want = map[string][]string{
	"config": {"1", "3"}, "config_plugins": {"1", "7", "9", "10"}, "quest": nil, "quest_answers": nil, "quest_core": {"1"}, "quest_of_page": {}, "page": {}, "local_gone_data": nil, "local_goners": {},
	"modules": {"1"}, "course_modules": {"10", "12"}, "course_sections": {"1", "2", "3", "4"}, "course": {"5", "6"}, "grade_items": {"2", "3"}, "grade_grades": {"2", "3"}, "capabilities": {"2"}, "role_capabilities": {"2"},
	"files": {"2"}, "task_scheduled": {"2"}, "block": {"2"}, "block_instances": {"2"}, "block_positions": {"2"}, "user_preferences": {"2"},
}

func open(t *testing.T, a database.Address) *database.Database {
	t.Helper()
	d, err := a.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return d
}

func exec(t *testing.T, d *database.Database, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := d.Exec(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

func fill(t *testing.T, d *database.Database) {
	t.Helper()
	for _, table := range tables {
		exec(t, d, "CREATE TABLE {"+table.name+"} (id BIGINT NOT NULL PRIMARY KEY, "+table.columns+")")
		for _, row := range table.rows {
			exec(t, d, "INSERT INTO {"+table.name+"} VALUES ("+row+")")
		}
	}
}

func run(t *testing.T, dir string, a database.Address, dry bool) stage.ActionReport {
	t.Helper()
	action, err := removemissing.Stage().NewAction(t.Context(), &removemissing.Config{Settings: site.Settings{Dir: dir, Database: &a}}, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := action.Run(t.Context(), stage.ActionRequest{Moment: stage.MomentAfter, DryRun: dry})
	if err != nil || r.Validate() != nil {
		t.Fatalf("%v, %v", err, r.Validate())
	}
	return r
}

// left returns the ids of the rows of a table; nil if it is gone.
func left(t *testing.T, a database.Address, table string) []string {
	t.Helper()
	d := open(t, a)
	there, err := d.Table(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	if there == nil {
		return nil
	}
	rows, err := d.Query(t.Context(), "SELECT id FROM {"+table+"} ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, r := range rows {
		ids = append(ids, r[0].String)
	}
	return ids
}

func TestMissingPluginsAreRemovedAndNothingElse(t *testing.T) {
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, a := code(t), engine(t)
			fill(t, open(t, a))
			dry := run(t, dir, a, true)
			for _, table := range tables {
				if got := left(t, a, table.name); len(got) != len(table.rows) || got == nil {
					t.Errorf("a dry run left %v of %s", got, table.name)
				}
			}
			r := run(t, dir, a, false)
			for table, ids := range want {
				if got := left(t, a, table); !slices.Equal(got, ids) || (got == nil) != (ids == nil) {
					t.Errorf("%s has %v, want %v", table, got, ids)
				}
			}
			if r.Level() != stage.LevelWarning || len(r.Findings) != 5 {
				t.Fatalf("%v", r.Findings)
			}
			for i, want := range []string{"block_former is left: Moodle no longer contains it", "mod_book is left: it is part of this Moodle release", "block_gone was removed", "local_gone was removed", "mod_quest was removed"} {
				if f := r.Findings[i]; !strings.HasPrefix(f.What, want) {
					t.Errorf("finding %d is %s", i, f)
				}
				if d := dry.Findings[i].Details; d != r.Findings[i].Details {
					t.Errorf("a dry run says %q, and the run %q", d, r.Findings[i].Details)
				}
			}
			if d := r.Findings[4].Details; !strings.HasPrefix(d, "table quest_answers\ntable quest\n") || !strings.Contains(d, "1 row of role_capabilities") {
				t.Errorf("of the activity: %s", d)
			}
			d := open(t, a)
			for query, want := range map[string]string{
				"SELECT sequence FROM {course_sections} WHERE id = 1": "10", "SELECT sequence FROM {course_sections} WHERE id = 2": "", "SELECT sequence FROM {course_sections} WHERE id = 3": "12",
				"SELECT cacherev FROM {course} WHERE id = 5": "101", "SELECT cacherev FROM {course} WHERE id = 6": "100",
			} {
				if got, err := d.First(t.Context(), query); err != nil || got.String != want {
					t.Errorf("%s: %q, %v", query, got.String, err)
				}
			}
			again := run(t, dir, a, false)
			if len(again.Findings) != 2 {
				t.Errorf("again: %v", again.Findings)
			}
		})
	}
}

func TestNothingIsRemovedWhileAnUpgradeIsDue(t *testing.T) {
	for name, version := range map[string]string{"older data": "2024100705", "newer data": "2025100705"} {
		t.Run(name, func(t *testing.T) {
			dir, a := code(t), sqlite(t)
			d := open(t, a)
			fill(t, d)
			exec(t, d, "UPDATE {config} SET value = '"+version+"' WHERE id = 1")
			r := run(t, dir, a, false)
			if r.Level() != stage.LevelFail || !strings.Contains(r.Findings[0].String(), "different versions: core; run Moodle's upgrade first") {
				t.Errorf("%v", r.Findings)
			}
			if got := left(t, a, "quest"); len(got) != 1 {
				t.Errorf("left: %v", got)
			}
		})
	}
}

// Without the table of the activity's name, tables with its short prefix are not certain.
func TestUncertainTablesAreLeftAndNamed(t *testing.T) {
	dir, a := code(t), sqlite(t)
	d := open(t, a)
	fill(t, d)
	exec(t, d, "DROP TABLE {quest}")
	r := run(t, dir, a, false)
	f := r.Findings[4]
	if f.Level != stage.LevelNote || !strings.Contains(f.Details, "left: table quest_answers, which may belong to it") || left(t, a, "quest_answers") == nil {
		t.Errorf("%v\n%s", f, f.Details)
	}
}

func TestUnreadableDefinitionsRefuse(t *testing.T) {
	dir, a := code(t), sqlite(t)
	fill(t, open(t, a))
	if err := os.WriteFile(filepath.Join(dir, "mod/page/db/install.xml"), []byte("<XMLDB"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := run(t, dir, a, false)
	if r.Level() != stage.LevelFail || left(t, a, "quest") == nil {
		t.Errorf("%v", r.Findings)
	}
}

func TestDatabaseWithoutSiteIsRefused(t *testing.T) {
	a := sqlite(t)
	exec(t, open(t, a), "CREATE TABLE {config} (id BIGINT, name VARCHAR(9), value VARCHAR(9))", "CREATE TABLE {config_plugins} (id BIGINT, plugin VARCHAR(9), name VARCHAR(9), value VARCHAR(9))")
	if r := run(t, code(t), a, false); r.Level() != stage.LevelFail {
		t.Errorf("%v", r.Findings)
	}
}

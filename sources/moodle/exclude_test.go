package moodle

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
)

// small writes a site with an SQLite database: tables of Moodle's core, of a module and of
// tool_vault with these settings.
func small(t *testing.T, php string, settings map[string]string) (dir string) {
	t.Helper()
	dir = code(t, `$CFG->dbtype = 'sqlite3'; $CFG->dboptions = ['file' => __DIR__ . '/site.sqlite']; $CFG->prefix = 'm_';
$CFG->wwwroot = 'https://moodle.example.org'; $CFG->dataroot = '/srv/data';
`+php)
	for name, text := range map[string]string{
		"version.php":         "<?php $version = 2024100706.00; $release = '4.5.6'; $branch = '405';",
		"lib/components.json": `{"plugintypes": {"mod": "mod"}, "subsystems": {}}`,
		"lib/plugins.json":    `{"standard": {}, "deleted": {}}`,
		"lib/db/install.xml":  `<XMLDB PATH="lib/db"><TABLES></TABLES></XMLDB>`,
		"mod/x/version.php":   "<?php $plugin->version = 1;",
		"mod/x/db/install.xml": `<XMLDB PATH="mod/x/db"><TABLES><TABLE NAME="x"><FIELDS><FIELD NAME="id" TYPE="int" LENGTH="10" NOTNULL="true" SEQUENCE="true"/></FIELDS>
<KEYS><KEY NAME="primary" TYPE="primary" FIELDS="id"/></KEYS></TABLE></TABLES></XMLDB>`,
		"site.sqlite": "",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	statements := []string{
		"CREATE TABLE {config} (id INTEGER PRIMARY KEY, name VARCHAR(255) NOT NULL, value TEXT)",
		"CREATE TABLE {config_plugins} (id INTEGER PRIMARY KEY, plugin VARCHAR(100) NOT NULL, name VARCHAR(100) NOT NULL, value TEXT)",
		"CREATE TABLE {x} (id INTEGER PRIMARY KEY)", "CREATE TABLE {y_old} (id INTEGER PRIMARY KEY)", "CREATE TABLE {sessions} (id INTEGER PRIMARY KEY)",
		"CREATE TABLE {tool_vault_log} (id INTEGER PRIMARY KEY)",
	}
	for name, value := range settings {
		statements = append(statements, fmt.Sprintf("INSERT INTO {config_plugins} (plugin, name, value) VALUES ('tool_vault', '%s', '%s')", name, value))
	}
	execute(t, database.Address{Engine: "sqlite", Path: filepath.Join(dir, "site.sqlite"), Prefix: "m_"}, statements...)
	return dir
}

// without lists the tables and the rows that a selection leaves out.
func without(s selection.Selection) (tables, rows []string) {
	for _, r := range s.Rows {
		rows = append(rows, r.Table+" "+r.Except.String())
	}
	return s.ExcludeTables, rows
}

func TestToolVaultAndSessionsNeverTravel(t *testing.T) {
	e := online(t, Config{Dir: small(t, "", nil)})
	tables, rows := without(e.Standing)
	if !slices.Equal(tables, []string{"tool_vault_*"}) || !slices.Equal(rows, []string{`config_plugins plugin is "tool_vault"`}) || !slices.Contains(e.Standing.StructureOnly, "sessions") {
		t.Errorf("the selection is %+v", e.Standing)
	}
	// A snapshot of the site is not one of a part of it.
	if !e.Selection.IsZero() {
		t.Errorf("the selection is %+v", e.Selection)
	}
	if len(e.Notes) > 0 {
		t.Errorf("the notes are %v", e.Notes)
	}
}

func TestSettingsOfToolVaultAreDefaults(t *testing.T) {
	stored := map[string]string{"backupexcludeplugins": "mod_x, ../y", "backupexcludetables": "m_y_*\nz", "backupexcludedataroot": "muc, /lang/de, shared"}
	dir := small(t, "", stored)
	e := online(t, Config{Dir: dir})
	tables, rows := without(e.Selection)
	if want := []string{"y_*", "z", "x"}; !slices.Equal(tables, want) {
		t.Errorf("tables: got %q, want %q", tables, want)
	}
	if want := []string{`config name begins with "mod_x_"`, `config_plugins plugin is "mod_x" or "x"`}; !slices.Equal(rows, want) {
		t.Errorf("rows: got %q, want %q", rows, want)
	}
	if want := []string{"dataroot/shared"}; !slices.Equal(e.Selection.ExcludeFiles, want) {
		t.Errorf("files: got %q, want %q", e.Selection.ExcludeFiles, want)
	}
	parts := settings(e)
	// The plugin's setting lists muc, but not the quarantine.
	if include := parts["dataroot"]["include"]; !reflect.DeepEqual(include, []string{"antivirus_quarantine"}) {
		t.Errorf("include is %v", include)
	}
	if plugins := parts["site"]["without_plugins"]; !reflect.DeepEqual(plugins, []string{"mod_x"}) {
		t.Errorf("the source site leaves out %v", plugins)
	}
	notes := fmt.Sprint(e.Notes)
	for _, want := range []string{
		"backupexcludetables of tool_vault in the site is used: m_y_*, z; set exclude.tables to decide otherwise",
		`backupexcludeplugins of tool_vault lists "../y", which cannot be left out`, `backupexcludedataroot of tool_vault lists "/lang/de", which cannot`,
		"does not list antivirus_quarantine, which is therefore backed up", "mod_x is left out, but the backup still has what refers to it",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("no note has %q: %s", want, notes)
		}
	}

	t.Run("the pipeline wins", func(t *testing.T) {
		e := online(t, Config{Dir: dir, excludeSettings: excludeSettings{Exclude: exclude{Plugins: []string{}, Tables: []string{"m_z"}, Dataroot: []string{"here"}}}})
		tables, rows := without(e.Selection)
		if !slices.Equal(tables, []string{"z"}) || len(rows) > 0 || !slices.Equal(e.Selection.ExcludeFiles, []string{"dataroot/here"}) {
			t.Errorf("the selection is %+v", e.Selection)
		}
		if parts := settings(e); parts["dataroot"]["include"] != nil || parts["site"]["without_plugins"] != nil || len(e.Notes) > 0 {
			t.Errorf("the parts are %v, the notes %v", parts, e.Notes)
		}
	})
	t.Run("config.php wins over the database", func(t *testing.T) {
		dir := small(t, "$CFG->forced_plugin_settings = ['tool_vault' => ['backupexcludetables' => 'forced']];", map[string]string{"backupexcludetables": "stored"})
		if tables, _ := without(online(t, Config{Dir: dir}).Selection); !slices.Equal(tables, []string{"forced"}) {
			t.Errorf("tables: %q", tables)
		}
	})
}

// A linter may run where the site cannot be reached.
func TestOfflineTheSiteIsNotAsked(t *testing.T) {
	dir := small(t, "", nil)
	if err := os.Remove(filepath.Join(dir, "site.sqlite")); err != nil {
		t.Fatal(err)
	}
	e, err := expand(t, Config{Dir: dir, excludeSettings: excludeSettings{Exclude: exclude{Plugins: []string{"mod_x"}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if tables, _ := without(e.Selection); !slices.Equal(tables, []string{"x"}) {
		t.Errorf("tables: %q", tables)
	}
	notes := fmt.Sprint(e.Notes)
	for _, want := range []string{"the rows of mod_x in tables of Moodle are determined when the pipeline runs", "settings of tool_vault in the site leave out is determined when the pipeline runs"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no note has %q: %s", want, notes)
		}
	}
	if _, err := Stage().Expand(t.Context(), &Config{Dir: dir}, stage.ExpandEnv{Lookup: os.LookupEnv, Online: true}); err == nil || !strings.Contains(err.Error(), "site.sqlite") {
		t.Errorf("without its database: %v", err)
	}
}

func TestWhatIsLeftOutIsChecked(t *testing.T) {
	for want, c := range map[string]excludeSettings{
		"exclude.plugins[1] must be the full name of a plugin":    {Exclude: exclude{Plugins: []string{"mod_x", "quiz"}}},
		"exclude.tables[0] is empty":                              {Exclude: exclude{Tables: []string{""}}},
		"exclude.dataroot[0] must be a path":                      {Exclude: exclude{Dataroot: []string{"../x"}}},
		"include[0] must be muc or antivirus_quarantine":          {Include: []string{"cache"}},
		"parts must list some of db, filedir, dataroot":           {},
		"exclude.structure_only[0] is empty":                      {Exclude: exclude{StructureOnly: []string{""}}},
		"exclude.plugins[0] must be the full name of a plugin, s": {Exclude: exclude{Plugins: []string{"mod_x y"}}},
	} {
		cfg := Config{excludeSettings: c}
		if strings.HasPrefix(want, "parts") {
			cfg.Only = []string{"none"}
		}
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

package moodle

import (
	"database/sql"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	_ "modernc.org/sqlite" // the driver sqlite

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/site"
)

func names(parts []stage.Part) (names []string) {
	for _, p := range parts {
		names = append(names, p.Name)
	}
	return names
}

func TestAfterARestoreCachesAreEmptiedAndTheUpgradeIsNamed(t *testing.T) {
	dir := code(t, common)
	e := expanded(t, Config{siteSettings: siteSettings{Settings: site.Settings{Dir: dir}}, valueSettings: valueSettings{Overrides: true}, afterSettings: afterSettings{Purge: true}})
	want := map[string]any{"dir": dir, "address": "https://moodle.example.org", "overrides": true, "reset_identifier": false}
	if p := part(t, e.Transforms, "settings"); p.Use != "site-settings" || !reflect.DeepEqual(p.Settings, want) {
		t.Errorf("the transform is %v", p)
	}
	part(t, e.After, "purge-caches")
	if p := part(t, e.After, "upgrade"); p.Settings["run"] != false {
		t.Errorf("the upgrade is %v", p)
	}
	for _, p := range e.Before {
		if p.Name == "upgrade-check" {
			t.Error("an upgrade that is not run is checked")
		}
	}
	e = expanded(t, Config{siteSettings: siteSettings{Settings: site.Settings{Dir: dir}}, afterSettings: afterSettings{Upgrade: "auto", UpgradeVia: []string{"/code/a"}, PHP: "php8"}})
	p := part(t, e.After, "upgrade")
	if p.Settings["run"] != true || p.Settings["php"] != "php8" || !reflect.DeepEqual(p.Settings["via"], []string{"/code/a"}) || part(t, e.Before, "upgrade-check").When != "planned" {
		t.Errorf("the upgrade is %v; before: %v", p, names(e.Before))
	}
}

// The settings of tool_vault in the target are defaults: those of its database only if the
// target may be asked, and those that config.php forces win.
func TestSettingsOfToolVaultAreDefaults(t *testing.T) {
	file := filepath.Join(t.TempDir(), "site.sqlite")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{
		"CREATE TABLE m_config (id INTEGER PRIMARY KEY, name TEXT, value TEXT)", "CREATE TABLE m_config_plugins (id INTEGER PRIMARY KEY, plugin TEXT, name TEXT, value TEXT)",
		"INSERT INTO m_config_plugins (plugin, name, value) VALUES ('tool_vault', 'upgradeafterrestore', '1'), ('tool_vault', 'restoreremovemissing', '1'), ('tool_vault', 'allowrestorewithmissing', '1')",
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	sqlite := `$CFG->dbtype = 'sqlite3'; $CFG->dboptions = ['file' => '` + file + `']; $CFG->prefix = 'm_'; $CFG->wwwroot = 'https://moodle.example.org'; $CFG->dataroot = '/srv/data';`
	missing := `$CFG->dbtype = 'sqlite3'; $CFG->dboptions = ['file' => '` + file + `.new']; $CFG->prefix = 'm_'; $CFG->wwwroot = 'https://moodle.example.org'; $CFG->dataroot = '/srv/data';`
	forced := `$CFG->forced_plugin_settings = ['tool_vault' => ['upgradeafterrestore' => `
	for name, c := range map[string]struct {
		php     string
		setting string
		offline bool
		run     bool
	}{
		"database":              {php: sqlite, setting: "auto", run: true},
		"sink":                  {php: sqlite, setting: "false"},
		"not asked":             {php: sqlite, setting: "auto", offline: true},
		"forced off":            {php: sqlite + forced + "0]];", setting: "auto"},
		"forced, not asked":     {php: sqlite + forced + "1]];", setting: "auto", offline: true, run: true},
		"a target without site": {php: missing, setting: "auto"},
	} {
		t.Run(name, func(t *testing.T) {
			c2 := Config{siteSettings: siteSettings{Settings: site.Settings{Dir: code(t, c.php)}}}
			if err := config.Defaults(&c2); err != nil {
				t.Fatal(err)
			}
			c2.Upgrade = c.setting
			e, err := Stage().Expand(t.Context(), &c2, stage.ExpandEnv{Dir: "/", Online: !c.offline, Lookup: func(string) (string, bool) { return "", false }})
			if err != nil {
				t.Fatal(err)
			}
			if got := part(t, e.After, "upgrade").Settings["run"]; got != c.run {
				t.Errorf("run is %v", got)
			}
			if got, want := part(t, e.Before, "check-restore").Settings["allow_missing_plugins"], slices.Contains(names(e.After), "remove-missing"); got != want {
				t.Errorf("missing plugins are allowed: %v, want %v", got, want)
			}
			if got, want := slices.Contains(names(e.After), "remove-missing"), (name == "database" || name == "sink" || name == "forced off"); got != want {
				t.Errorf("after the restore: %v", names(e.After))
			}
		})
	}
}

package moodle

import (
	"database/sql"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/dialects/site"
)

const ownTable = `<?xml version="1.0" encoding="UTF-8" ?><XMLDB PATH="mod/x/db" VERSION="1"><TABLES><TABLE NAME="xthings"><FIELDS>
<FIELD NAME="id" TYPE="int" LENGTH="10" NOTNULL="true" SEQUENCE="true"/></FIELDS><KEYS><KEY NAME="primary" TYPE="primary" FIELDS="id"/></KEYS></TABLE></TABLES></XMLDB>`

// preservable writes code with the plugin mod_x, and a site with it and a plugin without
// code.
func preservable(t *testing.T, settings string) (c Config, root string) {
	t.Helper()
	dir := t.TempDir()
	root = filepath.Join(dir, "data")
	file := filepath.Join(dir, "site.sqlite")
	code := code(t, "$CFG->dataroot = '"+root+"'; $CFG->wwwroot = 'https://moodle.example.org'; "+settings)
	for name, text := range map[string]string{
		"version.php": "<?php $version = 2024100700.00; $release = '4.5 (Build: 20241007)'; $branch = '405';", "lib/components.json": `{"plugintypes": {"mod": "mod", "local": "local"}, "subsystems": {}}`,
		"lib/classes/plugin_manager.php": "<?php", "lib/db/install.xml": `<?xml version="1.0" encoding="UTF-8" ?><XMLDB PATH="lib/db" VERSION="1"><TABLES></TABLES></XMLDB>`,
		"mod/x/version.php": "<?php $plugin->version = 2; $plugin->component = 'mod_x';", "mod/x/db/install.xml": ownTable, "local/x/x": "",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(code, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(code, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const content = "0123456789012345678901234567890123456789"
	for _, statement := range []string{
		"CREATE TABLE mdl_config (id INTEGER PRIMARY KEY, name TEXT, value TEXT)", "CREATE TABLE mdl_config_plugins (id INTEGER PRIMARY KEY, plugin TEXT, name TEXT, value TEXT)",
		"CREATE TABLE mdl_local_gone_data (id INTEGER PRIMARY KEY)", "CREATE TABLE mdl_local_gonefar (id INTEGER PRIMARY KEY)",
		"CREATE TABLE mdl_files (id INTEGER PRIMARY KEY, component TEXT, contenthash TEXT, referencefileid INTEGER, filesize INTEGER)",
		"INSERT INTO mdl_files (component, contenthash, filesize) VALUES ('mod_x', '" + content + "', 5), ('mod_x', '" + content[:39] + "f', 5), ('mod_y', '" + content[:39] + "e', 5)",
		"INSERT INTO mdl_config_plugins (plugin, name, value) VALUES ('local_gone', 'version', '1'), ('tool_vault', 'restorepreserveplugins', 'mod_x, local_gone'), ('tool_vault', 'restorepreservepasswords', '1'), ('tool_vault', 'restorepreservedataroot', 'shared, lang')",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{content, content[:39] + "e"} {
		path := filepath.Join(root, "filedir", name[:2], name[2:4], name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Config{siteSettings: siteSettings{Settings: site.Settings{Dir: code, Database: &database.Address{Engine: "sqlite", Path: file, Prefix: "mdl_"}}}}, root
}

func expandedWith(t *testing.T, c Config, online bool) *stage.Expansion {
	t.Helper()
	preserve, plugins, passwords := c.Preserve, c.PreservePlugins, c.PreservePasswords
	dir, db := c.Dir, c.Database
	if err := config.Defaults(&c); err != nil {
		t.Fatal(err)
	}
	c.Preserve, c.PreservePlugins, c.Dir, c.Database = preserve, plugins, dir, db
	if passwords != "" {
		c.PreservePasswords = passwords
	}
	e, err := Stage().Expand(t.Context(), &c, stage.ExpandEnv{Dir: "/", Online: online, Lookup: func(string) (string, bool) { return "", false }})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Plugins stay with their tables, by the code or by the name, their rows and their contents.
func TestPluginsStayInTheTarget(t *testing.T) {
	c, _ := preservable(t, "")
	c.PreservePlugins, c.PreservePasswords, c.Preserve = []string{"mod_x", "local_gone"}, "false", []string{"db/zzz_*"}
	e := expandedWith(t, c, true)
	if got := part(t, e.Parts, "database").Settings["preserve"]; !reflect.DeepEqual(got, []string{"zzz_*", "local_gone_data", "xthings"}) {
		t.Errorf("the database preserves %v", got)
	}
	if got := part(t, e.Parts, "files").Settings["preserve"]; !reflect.DeepEqual(got, []string{"01/23/0123456789012345678901234567890123456789"}) {
		t.Errorf("the file pool preserves %v", got)
	}
	if got := e.Selection.ExcludeTables; !reflect.DeepEqual(got, []string{"local_gone_data", "xthings"}) {
		t.Errorf("the backup's tables that are left out are %v", got)
	}
	p := part(t, e.Transforms, "preserve")
	if want := map[string]any{"engine": "sqlite", "path": c.Database.Path, "prefix": "mdl_", "passwords": false, "plugins": []string{"mod_x", "local_gone"}}; !reflect.DeepEqual(p.Settings, want) {
		t.Errorf("the transform is %v", p)
	}
	if last := e.Transforms[len(e.Transforms)-1]; last.Use != "preserve" {
		t.Errorf("%s follows", last.Use)
	}
	for name, list := range map[string][]stage.Part{"settings": e.Transforms, "check-restore": e.Before} {
		if got := part(t, list, name).Settings["preserved_plugins"]; !reflect.DeepEqual(got, []string{"mod_x", "local_gone"}) {
			t.Errorf("%s has %v", name, got)
		}
	}
	if got := part(t, e.Before, "restore-guard").Settings["preserved"]; !reflect.DeepEqual(got, []string{"db/zzz_*", "mod_x", "local_gone"}) {
		t.Errorf("the guard shows %v", got)
	}
}

func TestToolVaultSaysWhatStays(t *testing.T) {
	c, _ := preservable(t, "")
	e := expandedWith(t, c, true)
	p := part(t, e.Transforms, "preserve")
	if p.Settings["passwords"] != true || !reflect.DeepEqual(p.Settings["plugins"], []string{"mod_x", "local_gone"}) {
		t.Errorf("the transform is %v", p)
	}
	if got := part(t, e.Parts, "dataroot").Settings["preserve"]; !reflect.DeepEqual(got, []string{"shared", "lang"}) {
		t.Errorf("the data root preserves %v", got)
	}
	e = expandedWith(t, c, false)
	if slices.ContainsFunc(e.Transforms, func(p stage.Part) bool { return p.Use == "preserve" }) {
		t.Error("a target that may not be asked has settings")
	}
	c.PreservePlugins = []string{"x"}
	if err := c.Validate(); err == nil {
		t.Error("a plugin without a type is accepted")
	}
}

package site

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/plugins/conformance"
)

const configPHP = `<?php
$CFG = new stdClass();
$CFG->dbtype = 'sqlite3'; $CFG->dboptions = ['file' => __DIR__ . '/../site.sqlite']; $CFG->dbpass = 'zq7pass'; $CFG->prefix = 'm_';
$CFG->wwwroot = 'https://moodle.example.org'; $CFG->dataroot = '/srv/data';
$CFG->maxbytes = 1024; $CFG->smtppass = 'zq7smtp'; $CFG->siteadmins = ['zq7array']; $CFG->newsetting = 'zq7new';
$CFG->forced_plugin_settings = ['quiz' => ['attempts' => 3], 'local_extra' => ['key' => 'zq7extra'], 'tool_vault' => ['allowrestore' => 1]];
require_once(__DIR__ . '/lib/setup.php');
`

// newSite writes a site: its code with config.php and its database.
func newSite(t testing.TB) (code string) {
	t.Helper()
	dir := t.TempDir()
	code = filepath.Join(dir, "code")
	for name, text := range map[string]string{
		"code/config.php":              configPHP,
		"code/version.php":             "<?php $version = 2024100706.00; $release = '4.5.6 (Build: 20250811)'; $branch = '405';",
		"code/lib/components.json":     `{"plugintypes": {"mod": "mod", "local": "local"}, "subsystems": {}}`,
		"code/lib/plugins.json":        `{"standard": {"mod": ["quiz"]}, "deleted": {}}`,
		"code/mod/quiz/version.php":    "<?php $plugin->version = 2024100700; $plugin->component = 'mod_quiz'; $plugin->requires = 2024100100;",
		"code/mod/quiz/db/x":           "",
		"code/local/extra/version.php": "<?php $plugin->version = 7; $plugin->component = 'local_extra'; $plugin->release = '1 < 2';",
		"code/local/lost/version.php":  "<?php $plugin->version = 8; $plugin->component = 'local_lost';",
		"site.sqlite":                  "",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a := database.Address{Engine: "sqlite", Path: filepath.Join(dir, "site.sqlite"), Prefix: "m_"}
	d, err := a.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"CREATE TABLE {config} (id INTEGER PRIMARY KEY, name VARCHAR(255) NOT NULL, value TEXT)",
		"CREATE TABLE {config_plugins} (id INTEGER PRIMARY KEY, plugin VARCHAR(100) NOT NULL, name VARCHAR(100) NOT NULL, value TEXT)",
		"INSERT INTO {config} (name, value) VALUES ('siteidentifier', 'abc'), ('version', '2024100700.00'), ('release', '4.5'), ('maxbytes', '0'), ('smtppass', ''), ('siteadmins', '2')",
		"INSERT INTO {config_plugins} (plugin, name, value) VALUES ('quiz', 'attempts', '0'), ('local_extra', 'key', '')",
	} {
		if _, err := d.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return code
}

func opened(t testing.TB, c Config) stage.Source {
	t.Helper()
	s, err := Stage().NewSource(t.Context(), &c, stage.Env{Version: "1.2"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// read returns the documents of a site by path, and its inventory.
func read(t *testing.T, c Config) (map[string]string, *stage.Inventory) {
	t.Helper()
	s := opened(t, c)
	inv, err := s.Plan(t.Context(), stage.PlanRequest{})
	if err != nil {
		t.Fatal(err)
	}
	documents := map[string]string{}
	for _, d := range s.(*source).documents {
		documents[d.name] = string(d.content)
	}
	return documents, inv
}

func decoded(t *testing.T, document string) map[string]any {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(document), &all); err != nil {
		t.Fatalf("%v\n%s", err, document)
	}
	return all
}

func TestContract(t *testing.T) {
	c := Config{ConfigPHP: true}
	c.Dir = newSite(t)
	conformance.Source(t, conformance.SourceFixture{Open: func(t testing.TB) stage.Source { return opened(t, c) }, Parts: []string{stage.Site}})
}

func TestFactsTellARestoreAboutTheSite(t *testing.T) {
	c := Config{}
	c.Dir = newSite(t)
	_, inv := read(t, c)
	want := map[string]string{
		moodle.AddressFact: "https://moodle.example.org", moodle.DatarootFact: "/srv/data", moodle.AddonsFact: `["local_extra","local_lost"]`,
		moodle.OverridesFact: `{"core":{"maxbytes":"1024","smtppass":"zq7smtp"},"plugins":{"local_extra":{"key":"zq7extra"},"quiz":{"attempts":"3"}}}`,
	}
	if !reflect.DeepEqual(inv.Facts, want) {
		t.Errorf("got  %q\nwant %q", inv.Facts, want)
	}
	notes := fmt.Sprint(inv.Notes)
	if !strings.Contains(notes, "siteadmins, which the backup does not have: it is an array") || strings.Contains(notes, "newsetting") {
		t.Errorf("the notes are %s", notes)
	}
	// Nothing that is shown contains a value of config.php.
	if shown := fmt.Sprint(inv.Notes, stage.PublicFacts(inv.Facts), inv.Units); strings.Contains(shown, "zq7") {
		t.Errorf("a value is shown: %s", shown)
	}
}

func TestPluginsThatAreLeftOutAreNotNamed(t *testing.T) {
	c := Config{Without: []string{"local_extra", "mod_quiz"}}
	c.Dir = newSite(t)
	documents, inv := read(t, c)
	if inv.Facts[moodle.AddonsFact] != `["local_lost"]` || inv.Facts[moodle.OverridesFact] != `{"core":{"maxbytes":"1024","smtppass":"zq7smtp"}}` {
		t.Errorf("the facts are %q", inv.Facts)
	}
	for name, content := range documents {
		if strings.Contains(content, "local_extra") || strings.Contains(content, "quiz") {
			t.Errorf("%s names a plugin that is left out:\n%s", name, content)
		}
	}
}

func TestDocumentsDescribeTheSite(t *testing.T) {
	c := Config{}
	c.Dir = newSite(t)
	documents, _ := read(t, c)
	m := decoded(t, documents["metadata.json"])
	delete(m, "time")
	if want := map[string]any{
		"made_by": "Vault 1.2", "address": "https://moodle.example.org", "dataroot": "/srv/data", "site_identifier": "abc",
		"installed": map[string]any{"version": "2024100700.00", "release": "4.5"},
		"code":      map[string]any{"version": "2024100706", "release": "4.5.6 (Build: 20250811)"},
		"database":  map[string]any{"engine": "sqlite", "prefix": "m_"},
	}; !reflect.DeepEqual(m, want) {
		t.Errorf("metadata.json: got %v, want %v", m, want)
	}
	plugins := decoded(t, documents["plugins.json"])
	if want := []any{
		map[string]any{"component": "mod_quiz", "type": "mod", "version": "2024100700", "requires": "2024100100", "standard": true, "directory": "mod/quiz"},
		map[string]any{"component": "local_extra", "type": "local", "version": "7", "release": "1 < 2", "standard": false, "directory": "local/extra"},
		map[string]any{"component": "local_lost", "type": "local", "version": "8", "standard": false, "directory": "local/lost"},
	}; !reflect.DeepEqual(plugins["plugins"], want) || plugins["standard_known"] != true {
		t.Errorf("plugins.json: got %v, want %v", plugins["plugins"], want)
	}
	if want := []any{
		map[string]any{"name": "maxbytes", "value": "1024"},
		map[string]any{"name": "smtppass", "value": "zq7smtp"},
		map[string]any{"name": "siteadmins", "value": nil, "left_out_because": "it is an array or an object, which a setting in the database cannot be"},
		map[string]any{"name": "newsetting", "value": nil, "left_out_because": "the database has no such setting"},
		map[string]any{"plugin": "quiz", "name": "attempts", "value": "3"},
		map[string]any{"plugin": "local_extra", "name": "key", "value": "zq7extra"},
	}; !reflect.DeepEqual(decoded(t, documents["overrides.json"])["settings"], want) {
		t.Errorf("overrides.json: got %s", documents["overrides.json"])
	}
	if len(documents) != 3 {
		t.Errorf("there are %d documents", len(documents))
	}
}

func TestConfigPHPIsBackedUpOnlyIfItIsAskedFor(t *testing.T) {
	c := Config{ConfigPHP: true}
	c.Dir = newSite(t)
	if documents, _ := read(t, c); documents["config.php"] != configPHP {
		t.Errorf("config.php is %q", documents["config.php"])
	}
	c.ConfigPHP = false
	if documents, _ := read(t, c); strings.Contains(fmt.Sprint(documents), "zq7pass") {
		t.Error("a document has the password of the database")
	}
}

func TestCodeThatCannotBeReadIsNoted(t *testing.T) {
	c := Config{}
	c.Dir = newSite(t)
	if err := os.Remove(filepath.Join(c.Dir, "lib/components.json")); err != nil {
		t.Fatal(err)
	}
	documents, inv := read(t, c)
	if notes := fmt.Sprint(inv.Notes); documents["plugins.json"] != "" || !strings.Contains(notes, "the list of plugins is left out: ") {
		t.Errorf("documents %v, notes %s", documents, notes)
	}
	if _, ok := inv.Facts[moodle.AddonsFact]; ok || inv.Facts[moodle.OverridesFact] == "" {
		t.Errorf("the facts are %q", inv.Facts)
	}
}

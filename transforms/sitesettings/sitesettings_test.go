package sitesettings_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/moodle/component"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/isolated"
	"github.com/lmsvault/vault/transforms/sitesettings"
)

// code writes a directory of Moodle's code with two plugins.
func code(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"version.php":             "<?php $version = 2024100706.00; $release = '4.5.6 (Build: 20250811)'; $branch = '405';",
		"lib/components.json":     `{"plugintypes": {"mod": "mod", "local": "local"}, "subsystems": {}}`,
		"lib/plugins.json":        `{"standard": {"mod": ["page"]}, "deleted": {}}`,
		"mod/page/version.php":    "<?php $plugin->component = 'mod_page'; $plugin->version = 2024100700;",
		"local/extra/version.php": "<?php $plugin->component = 'local_extra'; $plugin->version = 2025010100;",
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

var text = schema.Type{Kind: schema.Text}

func table(name string, sequence bool, columns ...string) schema.Table {
	t := schema.Table{Name: name, Dialect: "postgres", PrimaryKey: []string{"id"}, Columns: []schema.Column{{Name: "id", Type: schema.Type{Kind: schema.Int, Size: 8}}}}
	if sequence {
		t.Sequence = &schema.Sequence{Column: "id", Next: 50}
	}
	for _, c := range columns {
		t.Columns = append(t.Columns, schema.Column{Name: c, Type: text})
	}
	return t
}

// facts are those of a site on which the code is installed.
func facts(changes map[string]string) map[string]string {
	all := map[string]string{
		moodle.VersionFact: "2024100706.00", moodle.PluginsFact: `{"mod_page": "2024100700", "local_extra": "2025010100"}`,
		moodle.AddressFact: "https://original.example.org:8443/moodle",
	}
	for name, value := range changes {
		all[name] = value
	}
	return all
}

// changed passes the rows of a table through the transform, and what it adds. Its notes are
// returned as one text.
func changed(t *testing.T, c sitesettings.Config, facts map[string]string, tables map[string]schema.Table, rows map[string]string) (map[string]string, string) {
	t.Helper()
	st := isolated.Stage(t, sitesettings.Stage())
	transform, err := st.NewRecord(t.Context(), &c, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	found, err := transform.(stage.Preparer).Prepare(t.Context(), &stage.Plan{Facts: facts})
	if err != nil {
		t.Fatal(err)
	}
	var notes strings.Builder
	for _, n := range found.Notes {
		notes.WriteString(n.Text + "\n")
	}
	out := map[string]string{}
	for name, of := range tables {
		m, err := transform.Table(t.Context(), of, "postgres")
		if err != nil {
			t.Fatal(err)
		}
		once := func() string {
			data := []byte(rows[name])
			if m.Rewrite {
				if data, _, err = transform.Rows(t.Context(), m, nil, stage.Chunk{Data: data, Rows: strings.Count(rows[name], "\n")}); err != nil {
					t.Fatal(err)
				}
			}
			if m.Adds {
				if data, _, err = transform.(stage.Adder).Added(t.Context(), m, data); err != nil {
					t.Fatal(err)
				}
			}
			return string(data)
		}
		out[name] = once()
		if again := once(); again != out[name] {
			t.Errorf("the rows of %s differ when they are written again: %q and %q", name, out[name], again)
		}
	}
	return out, notes.String()
}

func overrides(t *testing.T) string {
	t.Helper()
	data, err := json.Marshal(moodle.Overrides{
		Core:    map[string]string{"maxbytes": "100", "missing": "x", "themerev": "5"},
		Plugins: map[string]map[string]string{"quiz": {"attempts": "3"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestSettingsOfARestoredSite(t *testing.T) {
	dir := code(t)
	loaded, err := component.Load(t.Context(), dir, component.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sum, err := loaded.VersionsHash()
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]schema.Table{
		"config": table("config", true, "name", "value"), "config_plugins": table("config_plugins", true, "plugin", "name", "value"),
		"course": table("course", true, "cacherev", "fullname"), "sessions": table("sessions", true, "sid"), "user": table("user", true, "name"),
	}
	ahead := time.Now().Unix() + 100
	rows := map[string]string{
		"config":         "1\tmaxbytes\t0\n2\tthemerev\t-1\n3\tjsrev\t" + strconv.FormatInt(ahead, 10) + "\n4\tallversionshash\told\n5\tsiteidentifier\tabcoriginal\n6\tother\tthemerev\n",
		"config_plugins": "1\tquiz\tattempts\t0\n2\tlesson\tattempts\t0\n",
		"course":         "1\t0\tone\n2\t" + strconv.FormatInt(ahead, 10) + "\ttwo\n",
		"sessions":       "1\tx\n2\ty\n", "user": "1\tadmin\n",
	}
	before := time.Now().Unix()
	out, notes := changed(t, sitesettings.Config{Overrides: true, Dir: dir}, facts(map[string]string{moodle.OverridesFact: overrides(t)}), tables, rows)
	config := values(out["config"])
	now, err := strconv.ParseInt(config["localcachedirpurged"], 10, 64)
	if err != nil || now < before || now > time.Now().Unix() {
		t.Errorf("localcachedirpurged is %q", config["localcachedirpurged"])
	}
	clock, later := strconv.FormatInt(now, 10), strconv.FormatInt(ahead+1, 10)
	for name, want := range map[string]string{"maxbytes": "100", "themerev": clock, "jsrev": later, "allversionshash": sum, "siteidentifier": "abcoriginal", "other": "themerev"} {
		if config[name] != want {
			t.Errorf("%s is %q, want %q", name, config[name], want)
		}
	}
	if len(config) != 7 || strings.Count(out["config"], "\n") != 7 {
		t.Errorf("config is %q", out["config"])
	}
	for name, want := range map[string]string{
		"config_plugins": "1\tquiz\tattempts\t3\n2\tlesson\tattempts\t0\n", "course": "1\t" + clock + "\tone\n2\t" + later + "\ttwo\n",
		"sessions": "", "user": rows["user"],
	} {
		if out[name] != want {
			t.Errorf("%s is %q, want %q", name, out[name], want)
		}
	}
	if !strings.Contains(notes, "get their forced values: maxbytes, missing, quiz/attempts, themerev") {
		t.Errorf("the notes are %s", notes)
	}

	// Without a sequence no row can be added, and settings are changed where they are.
	tables = map[string]schema.Table{"config": table("config", false, "name", "value")}
	out, _ = changed(t, sitesettings.Config{Dir: dir}, facts(map[string]string{moodle.OverridesFact: overrides(t)}), tables, rows)
	if config = values(out["config"]); config["allversionshash"] != sum || config["maxbytes"] != "0" || len(config) != 6 {
		t.Errorf("config is %q", out["config"])
	}
}

// values returns the rows of config by name.
func values(rows string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(rows) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		all[cells[1]] = cells[2]
	}
	return all
}

func TestVersionHashOnlyWhereAllIsInstalled(t *testing.T) {
	dir := code(t)
	for name, c := range map[string]struct {
		config sitesettings.Config
		facts  map[string]string
		hash   string // "" if the setting is removed
		note   string
	}{
		"plugin to upgrade":   {sitesettings.Config{Dir: dir}, map[string]string{moodle.PluginsFact: `{"mod_page": "2024100600", "local_extra": "2025010100"}`}, "", "Moodle needs an upgrade: mod_page"},
		"plugin to install":   {sitesettings.Config{Dir: dir}, map[string]string{moodle.PluginsFact: `{"mod_page": "2024100700"}`}, "", "Moodle needs an upgrade: local_extra"},
		"core to upgrade":     {sitesettings.Config{Dir: dir}, map[string]string{moodle.VersionFact: "2024100705.00"}, "", "Moodle needs an upgrade: core"},
		"older code":          {sitesettings.Config{Dir: dir}, map[string]string{moodle.VersionFact: "2025100705.00"}, "old", "the code is older than the data: core"},
		"missing plugin":      {sitesettings.Config{Dir: dir}, map[string]string{moodle.PluginsFact: `{"mod_page": "2024100700", "local_extra": "2025010100", "local_gone": "1"}`}, "new", ""},
		"preserved plugin":    {sitesettings.Config{Dir: dir, Preserved: []string{"local_extra"}}, map[string]string{moodle.PluginsFact: `{"mod_page": "2024100700"}`}, "new", ""},
		"no code":             {sitesettings.Config{}, nil, "old", "the code of the site is not known"},
		"unknown versions":    {sitesettings.Config{Dir: dir}, map[string]string{moodle.PluginsFact: ""}, "old", "the versions of the original site are not known"},
		"everything in place": {sitesettings.Config{Dir: dir}, nil, "new", ""},
	} {
		t.Run(name, func(t *testing.T) {
			out, notes := changed(t, c.config, facts(c.facts), map[string]schema.Table{"config": table("config", true, "name", "value")}, map[string]string{"config": "1\tallversionshash\told\n"})
			hash, there := values(out["config"])["allversionshash"]
			got := hash
			if there && hash != "old" {
				got = "new"
			}
			if got != c.hash || !strings.Contains(notes, c.note) || c.note == "" && strings.Contains(notes, "allversionshash") {
				t.Errorf("allversionshash is %q, notes: %s", hash, notes)
			}
		})
	}
}

func TestNewIdentifierHasTheHostOfTheSite(t *testing.T) {
	tables := map[string]schema.Table{"config": table("config", true, "name", "value")}
	rows := map[string]string{"config": "1\tsiteidentifier\told\n"}
	for address, host := range map[string]string{"": "original.example.org", "https://copy.example.org/x": "copy.example.org"} {
		out, notes := changed(t, sitesettings.Config{ResetIdentifier: true, Address: address}, facts(nil), tables, rows)
		id := values(out["config"])["siteidentifier"]
		if !regexp.MustCompile(`^[A-Za-z0-9]{32}`+regexp.QuoteMeta(host)+`$`).MatchString(id) || !strings.Contains(notes, "gets a new identifier") {
			t.Errorf("the identifier is %q, notes: %s", id, notes)
		}
	}
	transform, err := sitesettings.Stage().NewRecord(t.Context(), &sitesettings.Config{ResetIdentifier: true}, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := transform.(stage.Preparer).Prepare(t.Context(), &stage.Plan{}); err == nil || !strings.Contains(err.Error(), "set address") {
		t.Errorf("without an address: %v", err)
	}
}

func TestUnreadableFactsRefuseTheRun(t *testing.T) {
	for _, name := range []string{moodle.OverridesFact, moodle.PluginsFact} {
		transform, err := sitesettings.Stage().NewRecord(t.Context(), &sitesettings.Config{Overrides: true, Dir: code(t)}, stage.Env{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := transform.(stage.Preparer).Prepare(t.Context(), &stage.Plan{Facts: facts(map[string]string{name: "{broken"})}); err == nil || strings.Contains(err.Error(), "{broken") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

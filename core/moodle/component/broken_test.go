package component

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
)

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Plugins may be behind symbolic links that lead out of the code.
func TestLinkedPlugin(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	for name, text := range moodle311 {
		if dir2, ok := strings.CutSuffix(name, "/"); ok {
			name, text = dir2+"/readme.txt", ""
		}
		write(t, dir, name, text)
	}
	write(t, elsewhere, "version.php", plugin("2023010100"))
	if err := os.Symlink(elsewhere, filepath.Join(dir, "mod/linked")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(elsewhere, "gone"), filepath.Join(dir, "mod/dangling")); err != nil {
		t.Fatal(err)
	}
	code, err := Load(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if p, ok := code.Plugin("mod_linked"); !ok || p.Version.String() != "2023010100" {
		t.Errorf("mod_linked: %+v", p)
	}
	if _, ok := code.Plugin("mod_dangling"); ok {
		t.Error("a dangling link is listed as a plugin")
	}
}

func TestWhatIsNoCode(t *testing.T) {
	for name, c := range map[string]struct {
		change map[string]string // "" removes
		want   string
	}{
		"no version.php":       {map[string]string{"version.php": ""}, "no version.php here or in public"},
		"another version.php":  {map[string]string{"version.php": "<?php return 5;"}, "$version is missing or not a number"},
		"a version from code":  {map[string]string{"version.php": "<?php\n$version = compute();"}, "version.php: $version can't be determined without executing the file: line 2: the function compute"},
		"no components.json":   {map[string]string{"lib/components.json": ""}, "lib/components.json is missing; Moodle 3.11.18+ (Build: 20231222) is incomplete or older than 3.8"},
		"broken JSON":          {map[string]string{"lib/components.json": "{"}, "lib/components.json: "},
		"JSON without types":   {map[string]string{"lib/components.json": "{}"}, "lib/components.json: no plugin types"},
		"a list":               {map[string]string{"lib/components.json": "[]"}, "no plugin types"},
		"deep JSON":            {map[string]string{"lib/components.json": strings.Repeat(`{"a":`, 1000)}, "nested deeper than 64"},
		"more behind the JSON": {map[string]string{"lib/components.json": `{"plugintypes":{"mod":"mod"}} x`}, "unexpected text after the object"},
	} {
		t.Run(name, func(t *testing.T) {
			files := maps.Clone(moodle311)
			maps.Copy(files, c.change)
			maps.DeleteFunc(files, func(name, text string) bool { return text == "" && !strings.HasSuffix(name, "/") })
			_, err := LoadFS(t.Context(), tree(files), Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) || failure.Of(err) != failure.Refused {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	if _, err := Load(t.Context(), t.TempDir(), Options{}); err == nil || !strings.Contains(err.Error(), "reading Moodle's code in ") {
		t.Errorf("an empty directory: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := LoadFS(ctx, tree(moodle311), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A faulty plugin is reported as a problem that names it, not as an error.
func TestProblems(t *testing.T) {
	for name, c := range map[string]struct {
		file, text, want string
		unknown          bool // the hash is not known then
	}{
		"version from code":     {"mod/data/version.php", "<?php\n\n$plugin->version = compute();", "mod/data/version.php:3: $plugin->version can't be determined without executing the file", true},
		"version by condition":  {"mod/data/version.php", "<?php\n$plugin->version = 1;\nif ($CFG->branch > 400) {\n  $plugin->version = 2;\n}", "mod/data/version.php:4: $plugin->version can't be determined", true},
		"requires from code":    {"mod/data/version.php", "<?php\n$plugin->version = 1;\n$plugin->requires = $CFG->version;", "mod/data/version.php:3: $plugin->requires can't be determined without executing the file: it depends on the site's settings", false},
		"no PHP":                {"mod/data/version.php", "<?php\n$plugin->version = ;", "mod/data/version.php", true},
		"a version of text":     {"mod/data/version.php", "<?php\n$plugin->version = array(1);", "mod/data/version.php:2: $plugin->version is not a version", true},
		"broken JSON":           {"mod/quiz/db/subplugins.json", "{", "mod/quiz/db/subplugins.json: invalid JSON", false},
		"subplugins from code":  {"lib/editor/atto/db/subplugins.php", "<?php $subplugins = f();", "lib/editor/atto/db/subplugins.php: $subplugins can't be determined", false},
		"type of a subsystem":   {"mod/quiz/db/subplugins.json", `{"plugintypes": {"course": "mod/quiz/report"}}`, "mod/quiz: it declares the plugin type course, which is a subsystem of core", false},
		"type that is there":    {"mod/quiz/db/subplugins.json", `{"plugintypes": {"auth": "mod/quiz/report"}}`, "mod/quiz: it declares the plugin type auth, which already exists", false},
		"type without code":     {"mod/quiz/db/subplugins.json", `{"plugintypes": {"quizzes": "mod/quiz/gone"}}`, "mod/quiz: it declares the plugin type quizzes in mod/quiz/gone, which is not a directory", false},
		"type outside the code": {"mod/quiz/db/subplugins.json", `{"plugintypes": {"quizzes": "../../etc"}}`, "mod/quiz: it declares the plugin type quizzes in ../../etc, which is not a directory", false},
		"type of odd letters":   {"mod/quiz/db/subplugins.json", `{"plugintypes": {"Quiz_x": "mod/quiz/report"}}`, `mod/quiz: it declares the plugin type "Quiz_x"`, false},
		"no list of standards":  {"lib/classes/plugin_manager.php", "<?php class x {}", "cannot tell which plugins are standard: there is no function standard_plugins_list", false},
	} {
		t.Run(name, func(t *testing.T) {
			files := maps.Clone(moodle311)
			files[c.file] = c.text
			code := load(t, tree(files), Options{})
			if !strings.Contains(problems(code), c.want) {
				t.Errorf("problems\n%swant %s", problems(code), c.want)
			}
			if _, err := code.VersionsHash(); (err != nil) != c.unknown {
				t.Errorf("the hash: %v", err)
			}
		})
	}
}

func TestPluginNames(t *testing.T) {
	for name, want := range map[string]bool{
		"a": false, "ab": true, "a1": true, "a_b": true, "a_": false, "1a": false, "aB": false, "a-b": false, "": false,
		"a__b": true, "ab__c": false, "a_b__c": false, "ab_c_d": true, "_a": false,
	} {
		if got := validPluginName(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

// A version.php can't make Vault read files outside of the code.
func TestFilesOutsideOfTheCode(t *testing.T) {
	outside := t.TempDir()
	write(t, outside, "number.php", "<?php $plugin->version = 99;")
	for _, path := range []string{filepath.Join(outside, "number.php"), strings.Repeat("../", 20) + filepath.Join(outside, "number.php")} {
		p, problems := declares(t, "<?php require('"+path+"');")
		if p.Known || p.Version.String() == "99" || !strings.Contains(problems, "outside of Moodle's code") {
			t.Errorf("%s: version %q\n%s", path, p.Version, problems)
		}
	}
}

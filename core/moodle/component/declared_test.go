package component

import (
	"maps"
	"reflect"
	"strings"
	"testing"
)

// declares evaluates a version.php of the plugin mod_data.
func declares(t *testing.T, src string, more ...string) (Plugin, string) {
	t.Helper()
	files := maps.Clone(moodle311)
	files["mod/data/version.php"] = src
	for i := 0; i+1 < len(more); i += 2 {
		files[more[i]] = more[i+1]
	}
	code := load(t, tree(files), Options{})
	p, ok := code.Plugin("mod_data")
	if !ok {
		t.Fatal("mod_data is missing")
	}
	var about []string
	for _, problem := range code.Problems {
		if strings.HasPrefix(problem.Path, "mod/data/") {
			about = append(about, problem.String())
		}
	}
	return p, strings.Join(about, "\n")
}

func TestVersionFile(t *testing.T) {
	p, problems := declares(t, `<?php
// This file is part of Moodle; $plugin->version = 1;
defined('MOODLE_INTERNAL') || die();

$plugin->version   = 2024100700;        # The date
$plugin->requires  = 2024100100.05;
$plugin->component = 'mod_data'; // it's
$plugin->maturity  = MATURITY_STABLE;
$plugin->release   = "4.5 \"five\"";
$plugin->dependencies = array(
    'mod_quiz' => 2024100100, // comment
    "mod_data"  => ANY_VERSION,
);
$plugin->supported = [401, 405];
?>
`)
	want := Declared{
		Known: true, Version: Version{int64(2024100700)}, Requires: Version{2024100100.05}, Release: `4.5 "five"`,
		Dependencies: []Dependency{{Component: "mod_data"}, {"mod_quiz", Version{int64(2024100100)}}},
	}
	if problems != "" || !reflect.DeepEqual(p.Declared, want) {
		t.Errorf("%+v\nwant %+v\n%s", p.Declared, want, problems)
	}
}

func TestVersionFileForms(t *testing.T) {
	for name, c := range map[string]struct {
		src  string
		want Version
	}{
		"Windows line ends and BOM": {"\xef\xbb\xbf<?php\r\n// x\r\n$plugin->version = 2021051718;\r\n", Version{int64(2021051718)}},
		"a new object":              {"<?php if (!isset($plugin)) { $plugin = new stdClass(); } $plugin = new \\stdClass; $plugin->version = 5;", Version{int64(5)}},
		"the old name":              {"<?php $module->version = 7;", Version{int64(7)}},
		"a float without decimals":  {"<?php $plugin->version = 2024100700.00;", Version{2024100700.0}},
		"a string":                  {"<?php $plugin->version = '2024' . '100700';", Version{"2024100700"}},
		"no version":                {"<?php $plugin->component = 'mod_data';", Version{}},
		"null":                      {"<?php $plugin->version = null;", Version{}},
		"a condition that is known": {"<?php $plugin->version = 1; if (defined('MATURITY_STABLE')) { $plugin->version = 2; }", Version{int64(2)}},
		"the same on both sides":    {"<?php if ($CFG->x) { $plugin->version = 2; } else { $plugin->version = 2; }", Version{int64(2)}},
		"a file beside it":          {"<?php require(__DIR__ . '/number.php'); $plugin->version = $number;", Version{int64(9)}},
		"unknown things elsewhere":  {"<?php $plugin->release = get_string('x'); $plugin->version = 3;", Version{int64(3)}},
	} {
		t.Run(name, func(t *testing.T) {
			p, problems := declares(t, c.src, "mod/data/number.php", "<?php $number = 9;")
			if problems != "" || !p.Known || p.Version != c.want {
				t.Errorf("version %#v, want %#v\n%s", p.Version, c.want, problems)
			}
		})
	}
}

// Whatever a version.php or a plugin manager contains, reading it ends, and a known
// version can be formatted.
func FuzzPHPFiles(f *testing.F) {
	f.Add([]byte(plugin("2024100700")))
	f.Add([]byte(moodle311["lib/classes/plugin_manager.php"]))
	f.Add([]byte("<?php\nif(!isset($plugin)){$plugin=new stdClass;}$plugin->dependencies=['a'=>ANY_VERSION,[1=>2.5]];$plugin->version=-0x1f;?>"))
	f.Add([]byte("<?php $subplugins = array('a' => 'mod/a', 1 => [2]);"))
	f.Fuzz(func(t *testing.T, src []byte) {
		code, err := LoadFS(t.Context(), tree(map[string]string{
			"version.php": moodle311["version.php"], "lib/components.json": moodle311["lib/components.json"],
			"lib/classes/plugin_manager.php": string(src), "mod/data/version.php": string(src), "mod/data/db/subplugins.php": string(src),
		}), Options{})
		if err != nil {
			t.Fatal(err)
		}
		p, _ := code.Plugin("mod_data")
		if n := p.Version.number(); p.Known && n > 1 && n < maxPlainFloat {
			if _, err := code.VersionsHash(); err != nil {
				t.Error(err)
			}
		}
	})
}

// Whatever a JSON file of the code contains, reading it ends with an error or a list.
func FuzzJSONFiles(f *testing.F) {
	for _, src := range []string{moodle311["lib/components.json"], moodle311["mod/quiz/db/subplugins.json"], `{"standard":{"mod":["a",1]},"deleted":[]}`} {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		_, _ = LoadFS(t.Context(), tree(map[string]string{
			"version.php": moodle311["version.php"], "lib/components.json": string(src), "lib/plugins.json": string(src),
		}), Options{})
		_, err := LoadFS(t.Context(), tree(map[string]string{
			"version.php": moodle311["version.php"], "lib/components.json": moodle311["lib/components.json"],
			"lib/plugins.json": string(src), "mod/data/version.php": plugin("1"), "mod/data/db/subplugins.json": string(src),
		}), Options{})
		if err != nil {
			t.Error(err)
		}
	})
}

package component

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// tree creates a code directory with these files; a path with a trailing slash is an
// empty directory.
func tree(files ...map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for _, f := range files {
		for name, text := range f {
			if dir, ok := strings.CutSuffix(name, "/"); ok {
				name, text = dir+"/readme.txt", ""
			}
			fsys[name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	return fsys
}

func load(t *testing.T, fsys fstest.MapFS, o Options) *Code {
	t.Helper()
	code, err := LoadFS(t.Context(), fsys, o)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func plugin(version string) string { return "<?php\n$plugin->version = " + version + ";\n" }

// listed shows a code's plugins as COMPONENT DIR.
func listed(c *Code) []string {
	var all []string
	for _, p := range c.Plugins {
		all = append(all, p.Component+" "+p.Dir)
	}
	return all
}

func problems(c *Code) string {
	var b strings.Builder
	for _, p := range c.Problems {
		b.WriteString(p.String() + "\n")
	}
	return b.String()
}

// moodle311 is a Moodle before lib/plugins.json: the standard plugins are in PHP, and
// a plugin declares its subplugins in PHP.
var moodle311 = map[string]string{
	"version.php": "<?php\ndefined('MOODLE_INTERNAL') || die();\n$version  = 2021051718.04;\n$release  = '3.11.18+ (Build: 20231222)';\n$branch   = '311';\n",
	"lib/components.json": `{"plugintypes": {"qtype": "question\/type", "mod": "mod", "auth": "auth", "editor": "lib/editor", "tool": "admin/tool", "theme": "theme", "local": "local", "h5plib": "h5p/h5plib"},
		"subsystems": {"course": "course", "plugin": null, "role": "admin/roles"}}`,
	"lib/classes/plugin_manager.php": `<?php
class core_plugin_manager {
	public static function is_deleted_standard_plugin($type, $name) {
		// Comment with array( in it.
		$plugins = array('mod' => array('assignment'), 'qformat' => array('webct'));
	}
	public static function standard_plugins_list($type) {
		$standard_plugins = array(
			'mod' => array('quiz', 'data', /* none */),
			'tool' => ['log'],
			'quiz' => array(),
		);
		return isset($standard_plugins[$type]) ? $standard_plugins[$type] : false;
	}
}`,
	"lib/db/install.xml":                   `<XMLDB/>`,
	"mod/quiz/version.php":                 plugin("2021051700"),
	"mod/quiz/db/subplugins.json":          `{"plugintypes": {"quiz": "mod\/quiz\/report", "quizaccess": "mod\/quiz\/accessrule"}}`,
	"mod/quiz/report/b/version.php":        plugin("1"),
	"mod/quiz/report/aa/version.php":       plugin("2021051700"),
	"mod/quiz/report/overview/version.php": plugin("2021051701"),
	"mod/quiz/accessrule/":                 "",
	"mod/data/version.php":                 plugin("2021051700"),
	"mod/zoom/version.php":                 "<?php // Old form.\n$module->version = 2019010100; $module->requires = 2018050800;\n",
	"mod/course/version.php":               plugin("1"), // the name of a subsystem
	"mod/with_underscore/version.php":      plugin("1"),
	"auth/db/version.php":                  plugin("2021051700"),
	"auth/tests/version.php":               plugin("1"),
	"lib/editor/atto/version.php":          plugin("2021051700"),
	"lib/editor/atto/db/subplugins.php": `<?php
$subplugins = array('atto' => 'lib/editor/atto/plugins');
$subplugins['attox'] = 'lib/editor/atto/more';`,
	"lib/editor/atto/plugins/bold/version.php":  plugin("2021051700"),
	"lib/editor/atto/more/":                     "",
	"admin/tool/log/version.php":                plugin("2021051700"),
	"admin/tool/log/db/subplugins.json":         `{"plugintypes": {"logstore": "admin/tool/log/store"}}`,
	"admin/tool/log/store/standard/version.php": plugin("2021051700"),
	"question/type/random/version.php":          plugin("2021051700"),
	"local/own/version.php":                     plugin("2024010100.5"),
	"local/own/db/subplugins.json":              `{"plugintypes": {"ownx": "local/own/x"}}`,
	"local/own/x/one/version.php":               plugin("'2024010101'"),
	"local/none/":                               "",
}

// The order of types is that of components.json, then of subplugins of mod, editor,
// tool and local; names are in byte order.
func TestOrderOfPlugins(t *testing.T) {
	code := load(t, tree(moodle311), Options{})
	want := []string{
		"qtype_random question/type/random",
		"mod_data mod/data", "mod_quiz mod/quiz", "mod_zoom mod/zoom",
		"auth_db auth/db",
		"editor_atto lib/editor/atto",
		"tool_log admin/tool/log",
		"local_none local/none", "local_own local/own",
		"quiz_aa mod/quiz/report/aa", "quiz_overview mod/quiz/report/overview",
		"atto_bold lib/editor/atto/plugins/bold",
		"logstore_standard admin/tool/log/store/standard",
		"ownx_one local/own/x/one",
	}
	if got := listed(code); !slices.Equal(got, want) {
		t.Errorf("plugins\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	// As PHP's serialize writes it: a float without decimals, a string, null.
	text, err := code.serializedVersions()
	const begin = `a:15:{s:4:"core";d:2021051718.04;s:12:"qtype_random";i:2021051700;`
	if err != nil || !strings.HasPrefix(text, begin) {
		t.Errorf("serialized as %s (%v)", text, err)
	}
	for _, part := range []string{`s:10:"local_none";N;`, `s:9:"local_own";d:2024010100.5;`, `s:8:"ownx_one";s:10:"2024010101";}`} {
		if !strings.Contains(text, part) {
			t.Errorf("serialized without %s: %s", part, text)
		}
	}
	if got := problems(code); got != "local/none: version.php is missing; Moodle treats the directory as a plugin without a version\n" {
		t.Errorf("problems:\n%s", got)
	}
	var standard []string
	for _, p := range code.Plugins {
		if p.Standard {
			standard = append(standard, p.Component)
		}
	}
	if !slices.Equal(standard, []string{"mod_data", "mod_quiz", "tool_log"}) || !code.StandardKnown() {
		t.Errorf("standard plugins: %q", standard)
	}
	zoom, _ := code.Plugin("mod_zoom")
	if zoom.Version.String() != "2019010100" || zoom.Requires.String() != "2018050800" {
		t.Errorf("mod_zoom is %+v", zoom)
	}
	if p, _ := code.Plugin("quiz_aa"); p.Parent != "mod_quiz" {
		t.Errorf("the parent of quiz_aa is %q", p.Parent)
	}
	want = []string{"core_course course", "core_plugin ", "core_role admin/roles"}
	var got []string
	for _, s := range code.Subsystems {
		got = append(got, s.Component+" "+s.Dir)
	}
	if !slices.Equal(got, want) {
		t.Errorf("subsystems %q", got)
	}
}

// Since Moodle 5.1 the code is in public. The lists are in lib beside it or in it,
// and subplugins are relative to their plugin.
func TestPublicLayout(t *testing.T) {
	files := map[string]string{
		"config.php":                                    "<?php",
		"public/version.php":                            "<?php $version = 2025100600.00; $release = '5.1'; $branch = '501';",
		"public/mod/assign/version.php":                 plugin("2025100600"),
		"public/mod/assign/db/subplugins.json":          `{"plugintypes": {"assignsubmission": "mod/assign/submission"}, "subplugintypes": {"assignsubmission": "submission"}, "deprecatedsubplugintypes": {"assignold": "old"}}`,
		"public/mod/assign/submission/file/version.php": plugin("2025100600"),
		"public/mod/assign/old/xx/version.php":          plugin("2025100600"),
		"public/mod/old/version.php":                    plugin("2024010100"),
		"public/mod/old/db/subplugins.json":             `{"plugintypes": {"oldtype": "mod/old/sub"}}`,
		"public/mod/old/sub/yy/version.php":             plugin("2024010100"),
		"public/mod/php/version.php":                    plugin("2024010100"),
		"public/mod/php/db/subplugins.php":              `<?php $subplugins = ['phptype' => 'mod/php/sub'];`,
		"public/mod/php/sub/zz/version.php":             plugin("2024010100"),
		"public/mnet/service/enrol/version.php":         plugin("2025100600"),
	}
	inside := map[string]string{
		"public/lib/components.json": `{"plugintypes": {"mod": "mod", "tool": "admin\/tool"}, "subsystems": {}, "deprecatedplugintypes": {"mnetservice": "mnet\/service"}}`,
		"public/lib/plugins.json":    `{"standard": {"mod": ["assign"], "assignsubmission": ["file"]}, "deleted": {"mod": ["chat"]}}`,
	}
	beside := map[string]string{
		"lib/components.json": `{"plugintypes": {"mod": "public/mod", "tool": "public/admin/tool"}, "subsystems": {}, "deprecatedplugintypes": {"mnetservice": "public/mnet/service"}}`,
		"lib/plugins.json":    inside["public/lib/plugins.json"],
	}
	want := []string{
		"mod_assign public/mod/assign", "mod_old public/mod/old", "mod_php public/mod/php",
		"assignsubmission_file public/mod/assign/submission/file", "oldtype_yy public/mod/old/sub/yy",
		"mnetservice_enrol public/mnet/service/enrol", "assignold_xx public/mod/assign/old/xx",
	}
	for name, lists := range map[string]map[string]string{"lists in public": inside, "lists beside public": beside} {
		t.Run(name, func(t *testing.T) {
			code := load(t, tree(files, lists), Options{})
			if got := listed(code); !slices.Equal(got, want) {
				t.Errorf("plugins\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if p, _ := code.Plugin("assignsubmission_file"); !p.Standard || p.Parent != "mod_assign" {
				t.Errorf("%+v", p)
			}
			// Deprecated types are not among the versions.
			text, err := code.serializedVersions()
			if err != nil || !strings.HasPrefix(text, `a:6:{s:4:"core";d:2025100600;`) || strings.Contains(text, "mnetservice") {
				t.Errorf("serialized as %s (%v)", text, err)
			}
			if len(code.Problems) > 0 {
				t.Errorf("problems:\n%s", problems(code))
			}
		})
	}
}

// Moodle before 5.0 ignores subplugintypes.
func TestSubpluginsBefore50(t *testing.T) {
	files := maps.Clone(moodle311)
	files["mod/quiz/db/subplugins.json"] = `{"subplugintypes": {"quiz": "accessrule"}, "plugintypes": {"quiz": "mod/quiz/report"}}`
	if _, ok := load(t, tree(files), Options{}).Plugin("quiz_overview"); !ok {
		t.Error("quiz_overview is missing")
	}
}

func TestMovedDirectories(t *testing.T) {
	files := maps.Clone(moodle311)
	for name, text := range moodle311 {
		if rest, ok := strings.CutPrefix(name, "admin/"); ok {
			delete(files, name)
			files["verwaltung/"+rest] = text
		}
	}
	themes := t.TempDir()
	write(t, themes, "corporate/version.php", plugin("2021060100"))
	write(t, themes, "boost/version.php", plugin("2021060101"))
	files["theme/boost/version.php"] = plugin("2021051700")
	code := load(t, tree(files), Options{Admin: "verwaltung", ThemeDir: themes})
	for component, version := range map[string]string{
		"tool_log": "2021051700", "logstore_standard": "2021051700", "theme_corporate": "2021060100", "theme_boost": "2021060101",
	} {
		if p, ok := code.Plugin(component); !ok || p.Version.String() != version {
			t.Errorf("%s: %+v", component, p)
		}
	}
}

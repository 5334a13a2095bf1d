package component

import (
	"reflect"
	"strings"
	"testing"
)

func TestReadVersionFiles(t *testing.T) {
	for name, c := range map[string]struct {
		src  string
		want map[string]any
	}{
		"usual": {`<?php
// This file is part of Moodle; $plugin->version = 1;
/** @license $plugin->version = 2; */
defined('MOODLE_INTERNAL') || die();

$plugin->version   = 2024100700;        # The date
$plugin->requires  = 2024100100.05;
$plugin->component = 'mod_x'; // it's
$plugin->maturity  = MATURITY_STABLE;
$plugin->release   = "4.5 \"five\"";
$plugin->dependencies = array(
    'mod_forum' => 2024100100, // comment
    "mod_data"  => ANY_VERSION,
);
$plugin->supported = [401, 405];
$plugin->cron = 0;
?>
`, map[string]any{
			"plugin->version": int64(2024100700), "plugin->requires": 2024100100.05, "plugin->component": "mod_x", "plugin->maturity": int64(200),
			"plugin->release": `4.5 "five"`, "plugin->dependencies": array{{"mod_forum", int64(2024100100)}, {"mod_data", "any"}},
			"plugin->supported": array{{int64(0), int64(401)}, {int64(1), int64(405)}}, "plugin->cron": int64(0),
		}},
		"Windows line ends and BOM": {"\xef\xbb\xbf<?php\r\n// x\r\n$version = 2021051718.04;\r\n", map[string]any{"version": 2021051718.04}},
		"Mac line ends":             {"<?php\r// x\r$version = 7;\r", map[string]any{"version": int64(7)}},
		"a new object": {`<?php
if (!isset($plugin)) { $plugin = new stdClass(); }
$plugin = new \stdClass;
$plugin->version = 5;`, map[string]any{"plugin->version": int64(5)}},
		"text before":           {"<html>$a = 1;\n<?php $b = 2 ?>\n$c = 3;<?php $d = 4;", map[string]any{"b": int64(2), "d": int64(4)}},
		"put together":          {`<?php $a = 'x' . "y" . 1; $b = 2024_10_07_00 + 5; $c = -(3); $d = $b; $e = $d - 1;`, map[string]any{"a": "xy1", "b": int64(2024100705), "c": int64(-3), "d": int64(2024100705), "e": int64(2024100704)}},
		"number forms":          {`<?php $a = 0x10; $b = 010; $c = .5; $d = 1e3; $e = 99999999999999999999;`, map[string]any{"a": int64(16), "b": int64(8), "c": 0.5, "d": 1000.0, "e": 1e20}},
		"words":                 {`<?php $a = TRUE; $b = null; $c = False;`, map[string]any{"a": true, "b": nil, "c": false}},
		"keys":                  {`<?php $a = []; $a['x'] = 1; $a[] = 2; $a["7"] = 3; $a[] = 4; $a['x'] = 5;`, map[string]any{"a": array{{"x", int64(5)}, {int64(0), int64(2)}, {int64(7), int64(3)}, {int64(8), int64(4)}}}},
		"the last one":          {`<?php $a = ['k' => 1, 'j' => 2, 'k' => 3];`, map[string]any{"a": array{{"k", int64(3)}, {"j", int64(2)}}}},
		"calls":                 {`<?php $a = f(1, [2]); $b = X::Y; $c = "v $d"; $d = <<<EOT` + "\n a; $x = 5;\n  EOT;\n$e = 1;", map[string]any{"a": undecided{1}, "b": undecided{1}, "c": undecided{1}, "d": undecided{1}, "e": int64(1)}},
		"changed by conditions": {"<?php\n$a = 1; $b = 1;\nif ($x) { $a = 2; } else\n$b = 3;\n$c = 4;", map[string]any{"a": undecided{3}, "b": undecided{4}, "c": int64(4)}},
		"changed in place":      {"<?php $a = 1; $a += 1; $b = 2; $b++; $c = 3; $c == 3;", map[string]any{"a": undecided{1}, "b": undecided{1}, "c": int64(3)}},
		"a function": {`<?php
function f() { return array('a' => 1); }
$a = 1;`, map[string]any{"a": int64(1)}},
		"cut off":    {`<?php $a = array('x' => `, map[string]any{"a": undecided{1}}},
		"open quote": {`<?php $a = 'x; $b = 1;`, map[string]any{"a": undecided{1}}},
		"deep":       {`<?php $a = ` + strings.Repeat("[", 100000), map[string]any{"a": undecided{1}}},
		"empty":      {"", map[string]any{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := map[string]any(readVariables([]byte(c.src))); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %#v\nwant %#v", got, c.want)
			}
		})
	}
}

// Whatever a file holds, reading ends, and what is decided can be written.
func FuzzReadVariables(f *testing.F) {
	f.Add([]byte(plugin("2024100700")))
	f.Add([]byte(moodle311["lib/classes/plugin_manager.php"]))
	f.Add([]byte("<?php\nif(!isset($plugin)){$plugin=new stdClass;}$plugin->dependencies=['a'=>ANY_VERSION,[1=>2.5]];$a[]=-0x1f.'x'.\"\\$\";<<<'A'\nA;?>"))
	f.Fuzz(func(t *testing.T, src []byte) {
		d, _ := readDeclared(src)
		if d.Known && d.Version.String() == "" && !d.Version.IsZero() && d.Version != (Version{""}) {
			t.Errorf("a version without a text: %#v", d.Version)
		}
		if d.Known {
			if _, err := d.Version.serialize(); err != nil && d.Version.number() < maxPlainFloat && d.Version.number() > 1 {
				t.Errorf("%v: %v", d.Version, err)
			}
		}
		_, _, _, _ = readCore(src)
		readList(src, "standard_plugins_list")
		_, _ = readJSON(src)
	})
}

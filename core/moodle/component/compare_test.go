package component

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/moodle/xmldb"
)

// as returns the versions of a database on which the code is installed, with changes;
// "" removes a version.
func as(c *Code, changes map[string]string) map[string]Version {
	plugins := map[string]string{"book": "1"} // not a component
	for _, p := range c.Plugins {
		if !p.Version.IsZero() {
			plugins[p.Component] = p.Version.String()
		}
	}
	core := c.Version.String()
	for name, version := range changes {
		if name == Core {
			core = version
			continue
		}
		plugins[name] = version
	}
	maps.DeleteFunc(plugins, func(_, version string) bool { return version == "" })
	return Installed(core, plugins)
}

func TestCompareVersions(t *testing.T) {
	files := maps.Clone(moodle311)
	files["mod/broken/version.php"] = "<?php $plugin->version = f();"
	code := load(t, tree(files), Options{})
	if states := code.Compare(as(code, map[string]string{"core": "2021051718.040"})); len(states) != 1 || states[0].Change != Extra || states[0].Component != "mod_broken" {
		t.Fatalf("the same versions differ: %+v", states)
	}
	got := code.Compare(as(code, map[string]string{
		"core":               "2021051718.03",
		"mod_assignment":     "2021051700", // Moodle has removed it
		"mod_hvp":            "2023010100",
		"mod_broken":         "5",
		"mod_data":           "2021051701",
		"mod_quiz":           "2021051600",
		"quizaccess_gone":    "2021010100",
		"quiz_aa":            "",
		"local_own":          "2024010100.4",
		"block_of_yesterday": "old",
	}))
	want := []string{
		"core upgrade 2021051718.04 2021051718.03 standard",
		"block_of_yesterday missing  old",
		"local_own upgrade 2024010100.5 2024010100.4",
		"mod_assignment removed  2021051700",
		"mod_broken unknown  5",
		"mod_data lower 2021051700 2021051701 standard",
		"mod_hvp missing  2023010100",
		"mod_quiz upgrade 2021051700 2021051600 standard",
		"mod_quiz>quiz_aa extra 2021051700 ",
		"mod_quiz>quizaccess_gone missing  2021010100",
	}
	var lines []string
	for _, s := range got {
		name := s.Component
		if s.Parent != "" {
			name = s.Parent + ">" + name
		}
		line := fmt.Sprintf("%s %s %s %s", name, s.Change, s.Code, s.Database)
		if s.Standard {
			line += " standard"
		}
		lines = append(lines, line)
	}
	if !slices.Equal(lines, want) {
		t.Errorf("states\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

func TestPending(t *testing.T) {
	code := load(t, tree(moodle311), Options{})
	installed := as(code, map[string]string{"core": "2021051700", "mod_data": "2021051701", "mod_zoom": ""})
	for component, want := range map[string]string{
		"core":     "core has to be upgraded from 2021051700 to 2021051718.04",
		"mod_data": "the code of mod_data (2021051700) is older than the database (2021051701)",
		"mod_zoom": "mod_zoom is not installed in this database",
		"mod_quiz": "", "mod_unknown": "",
	} {
		if got := code.Pending(component, installed); got != want {
			t.Errorf("%s: %q, want %q", component, got, want)
		}
	}
}

func TestVersionsOfDatabases(t *testing.T) {
	for text, want := range map[string]string{
		"2024100706.00": "2024100706", "2024100706.01": "2024100706.01", " 2024100706\n": "2024100706", "": "",
	} {
		if v, err := ParseVersion(text); err != nil || v.String() != want {
			t.Errorf("%q: %q, %v", text, v, err)
		}
	}
	for _, text := range []string{"x", "1e5", "1.2.3", "0x10", "Inf"} {
		if v, err := ParseVersion(text); err == nil {
			t.Errorf("%q is %s", text, v)
		}
	}
}

func TestTablesOfAComponent(t *testing.T) {
	code := load(t, tree(moodle311), Options{})
	definitions := []xmldb.Definition{
		{Component: Core, Tables: []xmldb.Table{{Name: "quiz_core"}}},
		{Component: "mod_quiz", Tables: []xmldb.Table{{Name: "quiz"}, {Name: "quiz_slots"}, {Name: "quiz_missing"}}},
	}
	installed := map[string]Version{"quiz_gone": {int64(1)}, "mod_hvp": {int64(1)}, "tool_vault": {int64(1)}}
	tables := []string{"tool_vault_operation", "tool_vaulted", "hvp", "hvp_xapi", "hvpx", "mod_hvp_x", "quiz_slots", "quiz", "quiz_core", "quiz_gone_rows", "quiz_by_hand"}
	for component, want := range map[string][]string{
		"mod_quiz":   {"quiz", "quiz_slots"}, // its code exists: only the tables it defines
		"quiz_gone":  {"quiz_gone_rows"},
		"mod_hvp":    {"hvp", "hvp_xapi", "mod_hvp_x"},
		"tool_vault": {"tool_vault_operation"},
		"core":       {"quiz_core"},
		"block_x":    nil,
	} {
		if got := code.Tables(component, definitions, installed, tables); !slices.Equal(got, want) {
			t.Errorf("%s has %q, want %q", component, got, want)
		}
	}
	if got := Owner("quiz_by_hand", code.Components(installed)); got != "mod_quiz" {
		t.Errorf("quiz_by_hand belongs to %q", got)
	}
}

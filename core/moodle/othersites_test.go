package moodle

import (
	"slices"
	"testing"
)

// A table belongs to a second site only if that site is complete: a plugin's table
// whose name ends like one of Moodle's belongs to this site.
func TestOtherSites(t *testing.T) {
	tables := []string{
		"mdl_config", "mdl_config_plugins", "mdl_course", "mdl_user",
		"mdl_old_config", "mdl_old_config_plugins", "mdl_old_course", "mdl_old_user", "mdl_old_x",
		"mdl_old_2_config", "mdl_old_2_config_plugins", "mdl_old_2_course", "mdl_old_2_user",
		"mdl_tool_config", "mdl_tool_user", "config",
	}
	for prefix, want := range map[string][]string{
		"mdl_":       {"mdl_old_2_", "mdl_old_"},
		"mdl_old_":   {"mdl_old_2_"},
		"mdl_old_2_": nil,
		"":           {"mdl_old_2_", "mdl_old_", "mdl_"},
		"other_":     nil,
	} {
		if got := OtherSites(tables, prefix); !slices.Equal(got, want) {
			t.Errorf("%q: %q instead of %q", prefix, got, want)
		}
	}
}

package moodle

import (
	"reflect"
	"testing"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/site"
)

func TestTheSiteIsOpenedAfterEverythingElse(t *testing.T) {
	dir := code(t, common)
	for name, c := range map[string]struct {
		replace, close string
		parts          []string
		on             bool   // before anything is written
		off            string // when: of the opening
	}{
		"exchange":      {"true", "", nil, false, "always"},
		"run":           {"true", "run", nil, true, "always"},
		"in place":      {"in_place", "", nil, true, "success"},
		"database only": {"true", "", []string{stage.DB}, false, ""},
		"its run":       {"true", "run", []string{stage.DB}, true, "always"},
	} {
		t.Run(name, func(t *testing.T) {
			e := expanded(t, Config{siteSettings: siteSettings{Settings: site.Settings{Dir: dir}, Only: c.parts}, partSettings: partSettings{Replace: c.replace},
				maintenanceSettings: maintenanceSettings{Close: c.close}, afterSettings: afterSettings{Purge: true}})
			settings := func(mode string) map[string]any {
				return map[string]any{"dataroot": "/srv/data", "mode": mode, "mark": "moodle-restore"}
			}
			before := e.Before[len(e.Before)-1]
			if (before.Use == "maintenance") != c.on || c.on && (before.When != string(stage.MomentPlanned) || !reflect.DeepEqual(before.Settings, settings("on"))) {
				t.Errorf("the last action before is %v", before)
			}
			after := e.After[len(e.After)-1]
			if (after.Use == "maintenance") != (c.off != "") || c.off != "" && (after.When != c.off || !reflect.DeepEqual(after.Settings, settings("off"))) {
				t.Errorf("the last action after is %v", after)
			}
		})
	}
}

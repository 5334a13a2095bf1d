package moodle

import (
	"reflect"
	"testing"

	"github.com/lmsvault/vault/core/config"
)

// Every backup begins with the checks of the site. A part that is not read is not checked.
func TestSiteIsCheckedBeforeBackup(t *testing.T) {
	dir := code(t, common+"$CFG->dbtype = 'sqlite3'; $CFG->dboptions = ['file' => '/srv/site.sqlite'];")
	for name, c := range map[string]struct {
		settings Config
		want     map[string]any
	}{
		"everything": {Config{}, map[string]any{"dataroot": "/srv/data", "filedir": "/srv/data/filedir"}},
		"database":   {Config{partSettings: partSettings{Only: []string{"db"}}}, map[string]any{"skip": []string{"missing-files", "wrong-files"}}},
		"settings": {
			Config{Address: "https://a.example.org", Settings: map[string]config.Secret{"x": config.NewSecret("y")}, checkSettings: checkSettings{SkipChecks: []string{"upgrade"}, VerifyFiles: true}},
			map[string]any{
				"dataroot": "/srv/data", "filedir": "/srv/data/filedir", "address": "https://a.example.org", "settings": map[string]config.Secret{"x": config.NewSecret("y")},
				"skip": []string{"upgrade"}, "verify_files": true,
			},
		},
	} {
		c.settings.Dir = dir
		e, err := expand(t, c.settings, map[string]string{"DBPASS": "secret"})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(e.Before) != 1 || e.Before[0].Use != "check-backup" || e.Before[0].When != "planned" {
			t.Fatalf("%s: the actions are %+v", name, e.Before)
		}
		for key, value := range map[string]any{"engine": "sqlite", "path": "/srv/site.sqlite", "prefix": "m_", "dir": dir} {
			c.want[key] = value
		}
		if got := e.Before[0].Settings; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: the settings are %v, want %v", name, got, c.want)
		}
	}
}

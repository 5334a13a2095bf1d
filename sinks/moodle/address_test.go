package moodle

import (
	"reflect"
	"testing"

	"github.com/lmsvault/vault/dialects/site"
)

// The address of the backup, or a given one, is replaced by that of the target's config.php.
func TestAddressOfTheTargetReplacesTheOld(t *testing.T) {
	dir := code(t, common)
	for name, c := range map[string]struct {
		settings addressSettings
		want     map[string]any
	}{
		"no":    {addressSettings{}, nil},
		"yes":   {addressSettings{ReplaceAddress: true}, map[string]any{"to": "https://moodle.example.org", "other_scheme": false}},
		"given": {addressSettings{ReplaceAddress: true, ReplaceFrom: "http://old.org", ReplaceOtherScheme: true}, map[string]any{"from": "http://old.org", "to": "https://moodle.example.org", "other_scheme": true}},
	} {
		t.Run(name, func(t *testing.T) {
			e := expanded(t, Config{siteSettings: siteSettings{Settings: site.Settings{Dir: dir}}, addressSettings: c.settings})
			for _, p := range e.Transforms {
				if p.Use != "replace-address" {
					continue
				}
				if c.want == nil || !reflect.DeepEqual(p.Settings, c.want) {
					t.Errorf("the transform is %v", p)
				}
				return
			}
			if c.want != nil {
				t.Errorf("the transforms are %v", e.Transforms)
			}
		})
	}
	for _, c := range []addressSettings{{ReplaceFrom: "http://a.org"}, {ReplaceOtherScheme: true}, {ReplaceAddress: true, ReplaceFrom: "a.org"}} {
		if (&Config{addressSettings: c}).Validate() == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
}

package moodle

import (
	"reflect"
	"slices"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle/clone"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/site"
	"github.com/lmsvault/vault/transforms/safeclone"
)

// The target is a copy as its address and the person say, with the measures of the person.
func TestTargetBecomesASafeCopy(t *testing.T) {
	dir := code(t, common)
	of := func(c cloneSettings) (p stage.Part, ok bool) {
		e := expanded(t, Config{siteSettings: siteSettings{Settings: site.Settings{Dir: dir}}, cloneSettings: c})
		i := slices.IndexFunc(e.Transforms, func(p stage.Part) bool { return p.Use == "safe-clone" })
		if i < 0 {
			return p, false
		}
		if before := slices.IndexFunc(e.Transforms, func(p stage.Part) bool { return p.Use == "site-settings" }); before > i {
			t.Error("settings that the original forced come after the measures")
		}
		return e.Transforms[i], true
	}
	if p, ok := of(cloneSettings{Clone: "auto"}); !ok || !reflect.DeepEqual(p.Settings, map[string]any{"address": "https://moodle.example.org"}) {
		t.Errorf("auto: %v, %v", p, ok)
	}
	if p, ok := of(cloneSettings{Clone: "false"}); ok {
		t.Errorf("false: %v", p)
	}
	var measures clone.Config
	if err := config.Defaults(&measures); err != nil {
		t.Fatal(err)
	}
	measures.Mail, measures.AdminPassword = false, config.NewSecret("pass word")
	p, ok := of(cloneSettings{Clone: "true", Measures: &measures})
	var c safeclone.Config
	if err := config.AssignValues(p.Settings, &c); !ok || err != nil {
		t.Fatalf("true: %v, %v", ok, err)
	}
	if c.Address != "" || !reflect.DeepEqual(c.Config, measures) {
		t.Errorf("the measures are %+v", c)
	}
}

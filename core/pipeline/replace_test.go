package pipeline_test

import (
	"fmt"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/pipeline"
)

// replace takes true, false and in_place as YAML writes them, and --replace stands
// for true where the file doesn't say in_place.
func TestReplaceIsTrueFalseOrInPlace(t *testing.T) {
	for _, c := range []struct {
		setting      string
		without, all string // what it is, and what it is with --replace
	}{
		{"", "false", "true"}, {", replace: true", "true", "true"}, {", replace: false", "false", "true"}, {", replace: in_place", "in_place", "in_place"},
		{`, replace: "${env:HOW}"`, "in_place", "true"}, {`, replace: "true"`, "true", "true"},
	} {
		for flag, want := range map[bool]string{false: c.without, true: c.all} {
			p, found := pipeline.Parse("p.yaml", fmt.Appendf(nil, "version: 1\nsource: [{use: sample}]\nsink: [{use: mysql, with: {dsn: \"${env:DSN}\"%s, preserve: [local_*]}}]\n", c.setting),
				pipeline.Options{Registry: registry(t), Replace: flag, Values: config.Values{Env: environment(map[string]string{"DSN": "u:p@tcp(db)/m", "HOW": "in_place"})}})
			if len(found.Of(config.Error)) > 0 {
				t.Errorf("%s: %v", c.setting, found)
				continue
			}
			if o := p.Sink[0].Onto; o.Replace != want || len(o.Preserve) != 1 {
				t.Errorf("%q with --replace=%t: %+v, want %s", c.setting, flag, o, want)
			}
		}
	}
	for _, bad := range []string{"yes", "maybe", "1", "[true]"} {
		if _, found := pipeline.Parse("p.yaml", fmt.Appendf(nil, "version: 1\nsource: [{use: sample}]\nsink: [{use: mysql, with: {dsn: \"${env:DSN}\", replace: %s}}]\n", bad),
			pipeline.Options{Registry: registry(t), Values: config.Values{Env: environment(map[string]string{"DSN": "u:p@tcp(db)/m"})}}); len(found.Of(config.Error)) == 0 {
			t.Errorf("replace: %s is taken", bad)
		}
	}
}

package clone_test

import (
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle/clone"
)

// Each measure has a switch of its name that is on by default, and each switch a measure.
func TestEachMeasureIsASettingThatIsOn(t *testing.T) {
	fields, err := config.Describe(&clone.Config{})
	if err != nil {
		t.Fatal(err)
	}
	switches := map[string]bool{}
	for _, f := range fields {
		if f.Type == config.Switch {
			switches[f.Name] = f.Default == "true"
		}
	}
	for _, m := range clone.Measures() {
		if !switches[m.ID] {
			t.Errorf("measure %s has no setting that is on: %v", m.ID, switches)
		}
		if m.Title == "" || m.Doc == "" {
			t.Errorf("measure %s is not documented", m.ID)
		}
	}
	if len(switches) != len(clone.Measures()) {
		t.Errorf("there are %d switches and %d measures", len(switches), len(clone.Measures()))
	}
}

func TestPasswordAndAddressAreChecked(t *testing.T) {
	if err := (&clone.Config{}).Validate(); err != nil {
		t.Error(err)
	}
	for want, c := range map[string]clone.Config{
		"admin_password exceeds": {AdminPassword: config.NewSecret(strings.Repeat("x", 73))},
		"not an e-mail address":  {DivertMailTo: "nobody"},
	} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

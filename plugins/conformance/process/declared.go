package process

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

func (s Subject) help(t testing.TB) {
	p := s.running(t)
	d, err := p.plugin().Describe(t.Context(), &pb.DescribeRequest{})
	if err != nil {
		t.Fatalf("Describe failed: %v", err)
	}
	if d.Name == "" || d.Version == "" {
		t.Errorf("the plugin has name %q and version %q; both are required", d.Name, d.Version)
	}
	if d.Minor > 1000 {
		t.Errorf("the minor version of the protocol is %d", d.Minor)
	}
	for _, stage := range d.Stages {
		if stage.GetSummary() == "" {
			t.Errorf("stage %s has no summary", stage.GetName())
		}
		helped(t, stage.GetName(), "", stage.GetSettings())
	}
}

// helped checks that settings have a help text, including those inside objects.
func helped(t testing.TB, stage, outer string, settings []*pb.Setting) {
	for _, setting := range settings {
		name := outer + setting.GetName()
		if strings.TrimSpace(setting.GetHelp()) == "" {
			t.Errorf("setting %s of stage %s has no help", name, stage)
		}
		helped(t, stage, name+".", setting.GetFields())
	}
}

// settings tries invalid settings. They are checked by the declaration and the plugin
// together, and then the stage is opened with them. The plugin may rely on the host's
// check, but must survive without it.
func (s Subject) settings(t testing.TB) {
	p := s.running(t)
	fields, err := config.Describe(s.Stage.Config())
	if err != nil {
		t.Fatalf("the declared settings: %v", err)
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(s.request(t).Settings, &values); err != nil {
		t.Fatalf("the settings: %v", err)
	}
	r, err := p.plugin().Validate(t.Context(), &pb.ValidateRequest{Stage: s.Stage.Name, Role: roleOf(s.Stage), Settings: encoded(t, values)})
	if err != nil || len(r.Problems) > 0 {
		t.Fatalf("valid settings are refused: %v, %v", r.GetProblems(), err)
	}
	const unknown = "surely-no-setting"
	values[unknown] = json.RawMessage(`"x"`)
	s.refused(t, p, values, unknown, "an unknown setting")
	delete(values, unknown)
	for _, f := range fields {
		value, there := values[f.Name]
		if !f.Required || !there {
			continue
		}
		delete(values, f.Name)
		s.refused(t, p, values, f.Name, "a missing setting "+f.Name)
		values[f.Name] = value
	}
	s.open(t, p)
}

func encoded(t testing.TB, values map[string]json.RawMessage) []byte {
	t.Helper()
	text, err := json.Marshal(values)
	if err != nil {
		t.Fatalf("the settings: %v", err)
	}
	return text
}

func (s Subject) refused(t testing.TB, p *process, values map[string]json.RawMessage, key, what string) {
	t.Helper()
	r := s.request(t)
	r.Settings = encoded(t, values)
	if err := config.Assign(r.Settings, s.Stage.Config()); err == nil || !strings.Contains(err.Error(), key) {
		t.Errorf("%s is not refused with its name: %v", what, err)
	}
	opened, err := p.plugin().Open(t.Context(), r)
	p.lives(t, "an Open with "+what, err)
	if err != nil {
		return
	}
	t.Logf("the plugin itself accepts %s", what)
	if _, err := p.plugin().Close(t.Context(), &pb.CloseRequest{Instance: opened.Instance}); err != nil {
		t.Errorf("closing the instance opened with %s: %v", what, err)
	}
}

package conformance

import (
	"context"
	"fmt"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// Plugin is a stage known only by its name and a user's configuration. The configuration
// should point to something used for tests only: a small site for a source, an empty target
// for a sink, free space for a storage.
type Plugin struct {
	Stage stage.Stage
	// Config returns the configuration, newly decoded for each call.
	Config func() (any, error)
	// Env is passed to each instance, except that TempDir is the check's own.
	Env stage.Env
	// Process enables the checks that kill the process. It is nil for a stage in this
	// process.
	Process Process
}

// ForPlugin returns the checks for the role of the stage. Storage checks use a prefix of
// their own and remove what they store. Sink checks write sample tables and files and leave
// them in the target. Actions run only in their dry form.
func ForPlugin(p Plugin) []Check {
	checks := []Check{{ID: "stage/described", Why: "A stage states its name, purpose and parts. vault stages, lint and the help are made from them.", Run: p.described}}
	switch {
	case p.Stage.NewStorage != nil:
		return append(checks, StorageChecks(StorageFixture{Open: opener(p, p.Stage.NewStorage), Shared: true, Process: p.Process})...)
	case p.Stage.NewSource != nil:
		return append(checks, SourceChecks(SourceFixture{Open: opener(p, p.Stage.NewSource), Parts: p.Stage.Parts, AnySite: true, Process: p.Process})...)
	case p.Stage.NewRecord != nil:
		return append(checks, RecordChecks(RecordFixture{
			Open: opener(p, p.Stage.NewRecord), Tables: SampleTables(), Targets: []string{"", "mysql", "postgres", "sqlite"},
			Filters: true, Refuses: true, Process: p.Process,
		})...)
	case p.Stage.NewBytes != nil:
		return append(checks, BytesChecks(BytesFixture{Open: opener(p, p.Stage.NewBytes), Process: p.Process})...)
	case p.Stage.NewAction != nil:
		return append(checks, ActionChecks(ActionFixture{Open: opener(p, p.Stage.NewAction)})...)
	case p.Stage.NewSink != nil:
		plan, units := SampleUnits(p.Stage.Parts, p.Stage.Dialect)
		open := opener(p, p.Stage.NewSink)
		return append(checks, SinkChecks(SinkFixture{
			Place: func(t testing.TB) Target { return Target{Open: func() stage.Sink { return open(t) }} },
			Plan:  plan, Units: units, OnePlace: true, Process: p.Process,
		})...)
	}
	return append(checks, Check{ID: "stage/role", Why: "A stage is a source, a transform, a sink, a storage or an action.", Run: func(t testing.TB) {
		t.Errorf("stage %s has the unknown role %q", p.Stage.Name, p.Stage.Role)
	}})
}

// opener returns a function that opens instances with a constructor of the stage.
func opener[T any](p Plugin, construct func(ctx context.Context, cfg any, env stage.Env) (T, error)) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		env := p.Env
		env.TempDir = t.TempDir()
		var opened T
		cfg, err := p.Config()
		if err == nil {
			// An interrupted check reopens the storage to remove its objects.
			opened, err = construct(context.WithoutCancel(t.Context()), cfg, env)
		}
		must(t, fmt.Sprintf("opening the %s %s", p.Stage.Role, p.Stage.Name), err)
		return opened
	}
}

func (p *Plugin) described(t testing.TB) {
	s := p.Stage
	if s.Name == "" || s.Summary == "" {
		t.Errorf("the stage has no name or no summary: name %q, summary %q", s.Name, s.Summary)
	}
	known := map[string]bool{stage.DB: true, stage.Filedir: true, stage.Dataroot: true, stage.Site: true}
	for _, part := range s.Parts {
		if !known[part] {
			t.Errorf("the stage declares the unknown part %q", part)
		}
	}
	if (s.Role == stage.RoleSource || s.Role == stage.RoleSink) && len(s.Parts) == 0 {
		t.Errorf("a %s must declare the parts of a site that it handles: %s, %s, %s or %s", s.Role, stage.DB, stage.Filedir, stage.Dataroot, stage.Site)
	}
	if s.Config == nil {
		t.Error("the stage declares no configuration")
	}
	_, err := p.Config()
	must(t, "decoding the configuration", err)
}

package conformance

import (
	"context"
	"fmt"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// Plugin is a stage of which nothing is known but what a user has: its name and
// a configuration. What the configuration points to should be there for the test
// only: small, for a source; empty, for a sink; with room, for a storage.
type Plugin struct {
	Stage stage.Stage
	// Config returns the configuration, decoded anew each time.
	Config func() (any, error)
	// Env is given to each instance, but for TempDir, which is one of the check's own.
	Env stage.Env
	// Process adds the checks that kill; nil for a stage of this process.
	Process Process
}

// ForPlugin lists the checks of a plugin, after the role of its stage. Checks of
// a storage stay below a prefix of their own and remove what they put. Those of a
// sink write the kit's own tables and files, and leave them.
func ForPlugin(p Plugin) []Check {
	checks := []Check{{ID: "stage/described", Why: "A stage says what it is called, what it does and what it holds: vault stages, lint and the help are made from it.", Run: p.described}}
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
	case p.Stage.NewSink != nil:
		plan, units := SampleUnits(p.Stage.Parts, p.Stage.Dialect)
		open := opener(p, p.Stage.NewSink)
		return append(checks, SinkChecks(SinkFixture{
			Place: func(t testing.TB) Target { return Target{Open: func() stage.Sink { return open(t) }} },
			Plan:  plan, Units: units, OnePlace: true, Process: p.Process,
		})...)
	}
	return append(checks, Check{ID: "stage/role", Why: "A stage is a source, a transform, a sink or a storage.", Run: func(t testing.TB) {
		t.Errorf("stage %s of role %q can't be opened as anything", p.Stage.Name, p.Stage.Role)
	}})
}

// opener opens instances by a constructor of the stage.
func opener[T any](p Plugin, construct func(ctx context.Context, cfg any, env stage.Env) (T, error)) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		env := p.Env
		env.TempDir = t.TempDir()
		var opened T
		cfg, err := p.Config()
		if err == nil {
			// What an interrupted check put must be opened once more, to be removed.
			opened, err = construct(context.WithoutCancel(t.Context()), cfg, env)
		}
		must(t, fmt.Sprintf("opening the %s %s", p.Stage.Role, p.Stage.Name), err)
		return opened
	}
}

func (p *Plugin) described(t testing.TB) {
	s := p.Stage
	if s.Name == "" || s.Summary == "" {
		t.Errorf("the stage has no name or no summary: %q, %q", s.Name, s.Summary)
	}
	known := map[string]bool{stage.DB: true, stage.Filedir: true, stage.Dataroot: true, stage.Site: true}
	for _, part := range s.Parts {
		if !known[part] {
			t.Errorf("the stage names the part %q, which no site has", part)
		}
	}
	if (s.Role == stage.RoleSource || s.Role == stage.RoleSink) && len(s.Parts) == 0 {
		t.Errorf("a %s must name the parts of a site that it knows: %s, %s, %s or %s", s.Role, stage.DB, stage.Filedir, stage.Dataroot, stage.Site)
	}
	if s.Config == nil {
		t.Error("the stage declares no configuration")
	}
	_, err := p.Config()
	must(t, "decoding the configuration", err)
}

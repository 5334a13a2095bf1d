package run

import (
	"context"
	"slices"
	"testing"

	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/stage"
)

// phases records phases and the calls to targets in them.
type phases struct {
	progress.Silent
	lines []string
}

func (p *phases) Report(e progress.Event) {
	switch {
	case e.Kind == progress.Phase:
		p.lines = append(p.lines, e.Phase)
	case e.Kind == progress.StepOpen && e.Step == "begin":
		p.lines = append(p.lines, e.Step)
	}
}

type watchedTarget struct{ target }

func (w *watchedTarget) Begin(ctx context.Context, p *stage.Plan) error {
	defer stage.Step(ctx, "begin")()
	return w.target.Begin(ctx, p)
}

// A target is changed only after planning, in a phase of its own.
func TestTargetsArePreparedAfterPlanning(t *testing.T) {
	p := &phases{}
	j := job(t, site())
	j.Reporter = p
	j.Targets = []*Target{{Name: "target", Sink: &watchedTarget{}, Parts: []string{stage.DB, stage.Filedir}, Dialect: "memory"}}
	if _, err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"plan", "prepare", "begin", "read", "finish", "prove"}; !slices.Equal(p.lines, want) {
		t.Errorf("phases %q, want %q", p.lines, want)
	}
}

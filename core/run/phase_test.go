package run

import (
	"context"
	"slices"
	"testing"

	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/stage"
)

// phases notes phases and what targets are asked to do in them.
type phases struct {
	progress.Silent
	lines []string
}

func (p *phases) Report(e progress.Event) {
	if e.Kind == progress.Phase {
		p.lines = append(p.lines, e.Phase)
	}
}

type watchedTarget struct {
	target
	phases *phases
}

func (w *watchedTarget) Begin(ctx context.Context, p *stage.Plan) error {
	w.phases.lines = append(w.phases.lines, "begin")
	return w.target.Begin(ctx, p)
}

// A target is changed only when the plan is made, in a phase of its own.
func TestTargetsArePreparedAfterThePlan(t *testing.T) {
	p := &phases{}
	j := job(t, site())
	j.Reporter = p
	j.Targets = []*Target{{Name: "target", Sink: &watchedTarget{phases: p}, Parts: []string{stage.DB, stage.Filedir}, Dialect: "memory"}}
	if _, err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"plan", "prepare", "begin", "read", "finish", "prove"}; !slices.Equal(p.lines, want) {
		t.Errorf("phases %q, want %q", p.lines, want)
	}
}

package run

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/stage"
)

// told records the events of steps and losses.
type told struct {
	progress.Silent
	lines []string
	last  progress.Event
}

func (p *told) Report(e progress.Event) {
	switch e.Kind {
	case progress.StepOpen, progress.StepDone:
		p.lines = append(p.lines, fmt.Sprintf("%s %s: %s", e.Kind, e.Target, e.Step))
	case progress.Lost:
		p.lines = append(p.lines, fmt.Sprintf("loss %s: %s", e.Target, e.Loss.Path))
	}
	p.last = e
}

// indexing is a target that builds an index.
type indexing struct{ target }

func (i *indexing) Finish(ctx context.Context, o *stage.Outcome) error {
	done := stage.Step(ctx, "building index a of log")
	done()
	done() // may be called again
	return i.target.Finish(ctx, o)
}

func TestLongStepsAndLossesAreReported(t *testing.T) {
	p := &told{}
	j := job(t, site())
	j.Reporter = p
	j.Targets = []*Target{{Name: "db", Sink: &indexing{target{refuse: "\tb"}}, Parts: []string{stage.DB, stage.Filedir}, Dialect: "memory"}}
	j.Budget = map[stage.LossKind]int64{stage.LossRow: 10, stage.LossMissing: 10}
	r, err := j.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"step db: preparing the target", "step_done db: preparing the target",
		"step db: finishing", "step db: building index a of log", "step_done db: building index a of log", "step_done db: finishing",
		"step db: reading back", "step_done db: reading back",
		"step db: publishing", "step_done db: publishing",
	}
	for _, l := range r.Losses {
		target := ""
		if l.Kind == stage.LossRow {
			target = "db"
		}
		if line := fmt.Sprintf("loss %s: %s", target, l.Path); !slices.Contains(p.lines, line) {
			t.Errorf("no event has the line %q", line)
		}
	}
	steps := slices.DeleteFunc(slices.Clone(p.lines), func(l string) bool { return l[:4] == "loss" })
	if !slices.Equal(steps, want) || len(r.Losses) == 0 {
		t.Errorf("events %q, want %q, and losses %v", p.lines, want, r.Losses)
	}
	if r.Run == "" || p.last.Run != r.Run {
		t.Errorf("the result is of run %q, its events are of %q", r.Run, p.last.Run)
	}
}

// blocked never returns from a report.
type blocked struct{ progress.Silent }

func (blocked) Report(progress.Event) { select {} }

// A stuck reporter does not keep a run from continuing and finishing.
func TestStuckReporterDoesNotBlockRun(t *testing.T) {
	to := &target{}
	j := job(t, site(), to)
	j.Reporter = blocked{}
	if _, err := j.Run(t.Context()); err != nil || !slices.Contains(to.calls, "publish") {
		t.Errorf("%v, after %v", err, to.calls)
	}
}

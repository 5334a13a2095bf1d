package run

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// asking is an action that asks for a confirmation.
type asking struct {
	*acting
	text string
}

func (a asking) Run(ctx context.Context, r stage.ActionRequest) (stage.ActionReport, error) {
	report, err := a.acting.Run(ctx, r)
	report.Confirm = a.text
	return report, err
}

// questioned returns a job whose actions at the start, after planning and after the run ask
// for a confirmation, and the questions asked.
func questioned(t *testing.T, sink *target, answer error) (j *Job, start *acting, asked *[]string) {
	t.Helper()
	j, start, _, _, _, _ = staged(t, sink)
	for i := range j.Actions {
		j.Actions[i].Action = asking{j.Actions[i].Action.(*acting), "token hunter2: replace site?"}
	}
	j.Redact = func(text string) string { return strings.ReplaceAll(text, "hunter2", "***") }
	asked = new([]string)
	j.Confirm = func(_ context.Context, action, text string) error {
		*asked = append(*asked, action+": "+text)
		return answer
	}
	return j, start, asked
}

func TestConfirmationIsAskedOncePerActionBeforeRun(t *testing.T) {
	sink := &target{}
	j, start, asked := questioned(t, sink, nil)
	start.findings = []stage.ActionFinding{{ID: "plugins", Level: stage.LevelWarning, What: "mod_x is missing"}, {ID: "fine", Level: stage.LevelOK, What: "all is well"}}
	if _, err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"start: warning: plugins: mod_x is missing\ntoken ***: replace site?", "planned: token ***: replace site?"}
	if !slices.Equal(*asked, want) {
		t.Errorf("the questions were %q, want %q", *asked, want)
	}
	if !slices.Contains(sink.calls, "publish") {
		t.Errorf("the calls were %v", sink.calls)
	}
}

func TestDeniedConfirmationRefusesRun(t *testing.T) {
	sink := &target{}
	j, _, asked := questioned(t, sink, failure.New(failure.Refused, "not confirmed"))
	r, err := j.Run(t.Context())
	if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "action start: not confirmed") || len(*asked) != 1 {
		t.Errorf("%v of class %d; asked %q", err, failure.Of(err), *asked)
	}
	if slices.Contains(sink.calls, "check") || r.Actions[0].Level != stage.LevelFail || r.Actions[0].Error != "not confirmed" {
		t.Errorf("the calls were %v, the result is %+v", sink.calls, r.Actions[0])
	}
}

func TestRunWithoutAnyoneToConfirmIsRefused(t *testing.T) {
	j, _, _ := questioned(t, &target{}, nil)
	j.Confirm = nil
	if _, err := j.Run(t.Context()); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "nobody can confirm it: token ***: replace site?") {
		t.Errorf("the error is %v", err)
	}
}

func TestInterruptedQuestionIsAnInterruption(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	j, _, _ := questioned(t, &target{}, nil)
	j.Confirm = func(ctx context.Context, _, _ string) error { cancel(); return ctx.Err() }
	if _, err := j.Run(ctx); failure.Of(err) != failure.Interrupted {
		t.Errorf("%v of class %d", err, failure.Of(err))
	}
}

// Nobody is asked to confirm what fails anyway.
func TestNothingIsAskedAfterFailedFinding(t *testing.T) {
	j, start, asked := questioned(t, &target{}, nil)
	start.findings = no("the disk is full")
	if _, err := j.Run(t.Context()); failure.Of(err) != failure.Refused || len(*asked) > 0 {
		t.Errorf("%v; asked %q", err, *asked)
	}
}

func TestNothingIsAskedInPlanOrDryRun(t *testing.T) {
	j, _, asked := questioned(t, &target{}, nil)
	if _, err := j.Plan(t.Context()); err != nil || j.Refusal() != nil || len(*asked) > 0 {
		t.Errorf("a plan: %v, %v; asked %q", err, j.Refusal(), *asked)
	}
	j, _, asked = questioned(t, &target{}, nil)
	j.DryRun = true
	j.Targets[0].Rehearse()
	if _, err := j.Run(t.Context()); err != nil || len(*asked) > 0 {
		t.Errorf("a dry run: %v; asked %q", err, *asked)
	}
}

package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/stage"
)

// acting records the calls of its action together with those of a target.
type acting struct {
	t        *target
	name     string
	findings []stage.ActionFinding
	err      error
	requests []stage.ActionRequest
	do       func(context.Context)
}

func (a *acting) Run(ctx context.Context, r stage.ActionRequest) (stage.ActionReport, error) {
	call := a.name
	if r.DryRun {
		call += " dry"
	}
	a.t.call(call)
	a.requests = append(a.requests, r)
	if a.do != nil {
		a.do(ctx)
	}
	return stage.ActionReport{Findings: a.findings}, a.err
}

func (a *acting) Close(context.Context) error { a.t.call(a.name + " closed"); return nil }

// staged returns a job with an action for each time at which actions run.
func staged(t *testing.T, sink *target) (j *Job, start, planned, success, fails, always *acting) {
	t.Helper()
	j = job(t, site(), sink)
	var all []*acting
	for _, name := range []string{"start", "planned", "success", "failure", "always"} {
		a := &acting{t: sink, name: name}
		all = append(all, a)
		step := ActionStep{Name: name, Stage: "acting", Moment: stage.MomentAfter, Action: a}
		if name == "start" || name == "planned" {
			step.Moment = stage.Moment(name)
		}
		step.AfterSuccess, step.AfterFailure = name == "success" || name == "always", name == "failure" || name == "always"
		j.Actions = append(j.Actions, step)
	}
	return j, all[0], all[1], all[2], all[3], all[4]
}

func no(what string) []stage.ActionFinding {
	return []stage.ActionFinding{{ID: "fine", Level: stage.LevelOK, What: "all is well"}, {ID: "disk-space", Level: stage.LevelFail, What: what, Where: "/srv", Remedy: "make room"}}
}

func TestActionsRunInOrder(t *testing.T) {
	sink := &target{}
	j, start, planned, success, _, _ := staged(t, sink)
	r, err := j.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"start", "check", "planned", "begin", "finish", "prove", "publish", "success", "always"}; !slices.Equal(sink.calls, want) {
		t.Errorf("the calls were %v, want %v", sink.calls, want)
	}
	if start.requests[0].Plan != nil || len(planned.requests[0].Plan.Tables) != 3 || planned.requests[0].Outcome != nil {
		t.Errorf("the actions before got %+v and %+v", start.requests[0], planned.requests[0])
	}
	o := success.requests[0].Outcome
	if o == nil || o.Status != stage.StatusSuccess || o.Exit != 0 || o.Error != "" || o.Rows != 4 || o.Files != 1 || o.Run != r.Run {
		t.Errorf("the action after got %+v", o)
	}
	var got []string
	for _, a := range r.Actions {
		got = append(got, fmt.Sprintf("%s %s %s %s", a.Name, a.Moment, a.Level, a.Skipped))
	}
	if want := "start start ok |planned planned ok |success after ok |failure after  it does not run after success|always after ok "; strings.Join(got, "|") != want {
		t.Errorf("the result has %q", got)
	}
	if err := j.Close(t.Context()); err != nil || !slices.Contains(sink.calls, "always closed") {
		t.Errorf("closing: %v, %v", err, sink.calls)
	}
	j.Actions, j.Targets = nil, nil
}

// If an action before a run fails, the run is refused and no target is opened.
func TestActionBeforeRefusesRun(t *testing.T) {
	for moment, want := range map[string][]string{
		"start":   {"start", "failure", "always"},
		"planned": {"start", "check", "planned", "failure", "always"},
	} {
		for how, say := range map[string]func(*acting){
			"finding": func(a *acting) { a.findings = no("the disk is full") },
			"error":   func(a *acting) { a.err = errors.New("the disk is full") },
		} {
			sink := &target{}
			j, start, planned, _, fails, _ := staged(t, sink)
			say(map[string]*acting{"start": start, "planned": planned}[moment])
			r, err := j.Run(t.Context())
			if failure.Of(err) != failure.Refused || r.Exit != failure.Refused || !strings.Contains(err.Error(), "action "+moment) || !strings.Contains(err.Error(), "the disk is full") {
				t.Errorf("%s, %s: %v of class %d", moment, how, err, failure.Of(err))
			}
			if how == "finding" && !strings.Contains(err.Error(), "disk-space: the disk is full (/srv); make room") {
				t.Errorf("the error is %v", err)
			}
			if !slices.Equal(sink.calls, want) {
				t.Errorf("%s, %s: the calls were %v, want %v", moment, how, sink.calls, want)
			}
			if o := fails.requests[0].Outcome; o.Status != stage.StatusFailure || o.Exit != int(failure.Refused) || !strings.Contains(o.Error, "the disk is full") {
				t.Errorf("the action after got %+v", o)
			}
		}
	}
}

// After a failed action, later ones do not run, as they may change something.
func TestNoActionRunsAfterRefusal(t *testing.T) {
	sink := &target{}
	j, start, _, _, _, _ := staged(t, sink)
	second := &acting{t: sink, name: "second"}
	j.Actions = slices.Insert(j.Actions, 1, ActionStep{Name: "second", Moment: stage.MomentStart, Action: second})
	start.findings = no("x")
	r, err := j.Run(t.Context())
	if err == nil || len(second.requests) > 0 || r.Actions[1].Skipped != "an earlier action failed" {
		t.Errorf("%v; the second got %v, and the result has %+v", err, second.requests, r.Actions[1])
	}
}

// If an action after a run fails, the published target stays, and the error has its own
// class.
func TestFailedActionAfterDoesNotUndoRun(t *testing.T) {
	for how, say := range map[string]func(*acting){
		"finding": func(a *acting) { a.findings = no("nobody was told") },
		"error":   func(a *acting) { a.err = failure.New(failure.Refused, "nobody was told") },
		"report":  func(a *acting) { a.findings = []stage.ActionFinding{{ID: "Bad ID", Level: "nobody was told"}} },
	} {
		sink := &target{}
		j, _, _, success, _, always := staged(t, sink)
		say(success)
		r, err := j.Run(t.Context())
		if failure.Of(err) != failure.Afterwards || r.Exit != failure.Afterwards || !strings.Contains(err.Error(), "the run is done and proven") {
			t.Errorf("%s: %v of class %d", how, err, failure.Of(err))
		}
		if slices.Contains(sink.calls, "abort") || !slices.Contains(sink.calls, "publish") || len(always.requests) != 1 || len(r.Tables) == 0 {
			t.Errorf("%s: the calls were %v", how, sink.calls)
		}
		if a := r.Actions[2]; a.Level != stage.LevelFail {
			t.Errorf("%s: the result has %+v", how, a)
		}
	}
}

func TestFailedRunKeepsClassIfActionAfterFails(t *testing.T) {
	sink := &target{swallow: "\tb"}
	j, _, _, success, fails, _ := staged(t, sink)
	fails.err = errors.New("nobody was told")
	_, err := j.Run(t.Context())
	if failure.Of(err) != failure.Unproven || !strings.Contains(err.Error(), "nobody was told") || len(success.requests) > 0 {
		t.Errorf("%v of class %d", err, failure.Of(err))
	}
	if i, k := slices.Index(sink.calls, "abort"), slices.Index(sink.calls, "failure"); i < 0 || k < i {
		t.Errorf("the calls were %v: the target was not aborted first", sink.calls)
	}
}

// A failed run whose snapshot stays in the repository is partial.
func TestKeptSnapshotMakesRunPartial(t *testing.T) {
	sink := &target{refuse: "\tb"}
	j, _, _, _, fails, _ := staged(t, sink)
	j.Targets[0].Sink = keeper{target: sink}
	j.Targets[0].Parts = nil
	_, err := j.Run(t.Context())
	if err == nil || len(fails.requests) != 1 {
		t.Fatalf("%v; %v", err, sink.calls)
	}
	if o := fails.requests[0].Outcome; o.Status != stage.StatusPartial || o.Losses == 0 || len(o.Snapshots) != 1 {
		t.Errorf("the action after got %+v", o)
	}
}

// Maintenance mode must also be switched off if a user interrupts the run.
func TestActionsAfterRunOnInterruption(t *testing.T) {
	sink := &target{}
	ctx, cancel := context.WithCancel(t.Context())
	j, _, planned, _, fails, _ := staged(t, sink)
	planned.do = func(context.Context) { cancel() }
	planned.err = context.Canceled
	var alive error
	fails.do = func(ctx context.Context) { alive = ctx.Err() }
	r, err := j.Run(ctx)
	if failure.Of(err) != failure.Interrupted || r.Exit != failure.Interrupted || len(fails.requests) != 1 || alive != nil {
		t.Errorf("%v of class %d; %d calls, whose context is %v", err, failure.Of(err), len(fails.requests), alive)
	}
}

func TestDryRunsAndPlansDryRunActions(t *testing.T) {
	sink := &target{}
	j, start, _, _, _, _ := staged(t, sink)
	start.findings = no("the disk is full")
	p, err := j.Plan(t.Context())
	if err != nil || len(p.Actions) != 2 || p.Actions[0].Level != stage.LevelFail || failure.Of(j.Refusal()) != failure.Refused {
		t.Errorf("planned: %v, %+v, %v", err, p, j.Refusal())
	}
	if want := []string{"start dry", "check", "planned dry"}; !slices.Equal(sink.calls, want) {
		t.Errorf("the calls were %v, want %v", sink.calls, want)
	}
	sink = &target{}
	j, _, _, _, _, _ = staged(t, sink)
	j.DryRun = true
	j.Targets[0].Rehearse()
	if _, err := j.Run(t.Context()); err != nil {
		t.Error(err)
	}
	if want := []string{"start dry", "check", "planned dry", "success dry", "always dry"}; !slices.Equal(sink.calls, want) {
		t.Errorf("the calls of a dry run were %v, want %v", sink.calls, want)
	}
}

// seen records the events of actions.
type seen struct {
	progress.Silent
	actions []string
}

func (s *seen) Report(e progress.Event) {
	if e.Kind == progress.Acted {
		s.actions = append(s.actions, e.Phase+" "+e.Action.Name)
	}
}

func TestActionEventsContainNoSecret(t *testing.T) {
	sink := &target{}
	j, start, _, success, _, _ := staged(t, sink)
	s := &seen{}
	j.Reporter = s
	j.Redact = func(text string) string { return strings.ReplaceAll(text, "hunter2", "***") }
	start.findings = []stage.ActionFinding{{ID: "x", Level: stage.LevelNote, What: "hunter2", Where: "hunter2", Remedy: "hunter2", Details: "hunter2"}}
	success.err = errors.New("hunter2")
	r, err := j.Run(t.Context())
	if err == nil {
		t.Fatal("no error")
	}
	if want := []string{"before start", "before planned", "after success", "after always"}; !slices.Equal(s.actions, want) {
		t.Errorf("the events are %v, want %v", s.actions, want)
	}
	text, err := json.Marshal(r.Actions)
	if err != nil || strings.Contains(string(text), "hunter2") || !strings.Contains(string(text), `"id":"x","level":"note","what":"***"`) {
		t.Errorf("the result has %s, %v", text, err)
	}
}

package conformance

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// ActionFixture opens the action under test.
type ActionFixture struct {
	Open func(t testing.TB) stage.Action
	// State describes everything that the action may change. If it is nil, the checks
	// don't detect changes by a dry run.
	State func(t testing.TB) string

	effort effort
}

// Action tests an action. It runs only in its dry form.
func Action(t *testing.T, f ActionFixture) { runAll(t, ActionChecks(f)) }

// ActionChecks returns the checks of an action. They run it only in its dry form.
func ActionChecks(f ActionFixture) []Check {
	check := func(id, why string, test func(t testing.TB)) Check {
		return Check{ID: id, Why: why, Run: func(t testing.TB) { leakless(t, f.effort.leakTimeout(), func() { test(t) }) }}
	}
	return []Check{
		check("action/report", "At each moment the action returns a report whose findings have an ID, a level and a text, or an error. Scripts and people act on them.", f.report),
		check("action/dry-run", "A dry run changes nothing, and a second one reports the same IDs. Plans and dry runs must be safe at any time.", f.dry),
		check("action/plan", "The plan that an action gets is not changed. The run works with the same plan.", f.plan),
		check("action/cancelled", "An action whose context has ended returns promptly. A cancelled run must stop.", f.cancelled),
	}
}

// actionRequests returns a request for each moment and outcome.
func actionRequests() map[string]stage.ActionRequest {
	plan, _ := SampleUnits([]string{stage.DB, stage.Filedir}, "mysql")
	requests := map[string]stage.ActionRequest{
		"start":   {Moment: stage.MomentStart},
		"planned": {Moment: stage.MomentPlanned, Plan: plan},
	}
	for status, exit := range map[stage.RunStatus]int{stage.StatusSuccess: 0, stage.StatusPartial: 4, stage.StatusFailure: 1} {
		o := &stage.RunOutcome{Status: status, Exit: exit, Run: "20260101-000000-conformance", Started: time.Now(), Bytes: 1 << 40, Rows: 3, Files: 2}
		if exit > 0 {
			o.Error = "something\nfailed"
		}
		if status != stage.StatusFailure {
			o.Snapshots = []stage.Summary{{Snapshot: "20260101-000000-00000001", Plain: 3, New: 2, Stored: 1}}
		}
		requests[string(status)] = stage.ActionRequest{Moment: stage.MomentAfter, Outcome: o}
	}
	for name, r := range requests {
		r.Pipeline, r.DryRun = "conformance", true
		requests[name] = r
	}
	return requests
}

// runDry runs the action and checks its report.
func (f *ActionFixture) runDry(t testing.TB, name string, r stage.ActionRequest) stage.ActionReport {
	t.Helper()
	a := f.Open(t)
	report, err := a.Run(t.Context(), r)
	if err != nil {
		t.Logf("%s: %v", name, err)
	}
	if bad := report.Validate(); bad != nil {
		t.Errorf("%s: %v", name, bad)
	}
	if c, ok := a.(stage.Closer); ok {
		must(t, "closing the action", c.Close(t.Context()))
	}
	return report
}

func (f *ActionFixture) report(t testing.TB) {
	for name, r := range actionRequests() {
		f.runDry(t, name, r)
	}
}

func (f *ActionFixture) dry(t testing.TB) {
	before := f.state(t)
	for name, r := range actionRequests() {
		first, second := ids(f.runDry(t, name, r)), ids(f.runDry(t, name, r))
		if !reflect.DeepEqual(first, second) {
			t.Errorf("%s: two dry runs report the IDs %v and %v", name, first, second)
		}
		if after := f.state(t); after != before {
			t.Errorf("%s: a dry run changed %q to %q", name, before, after)
			before = after
		}
	}
}

func (f *ActionFixture) state(t testing.TB) string {
	if f.State == nil {
		return ""
	}
	return f.State(t)
}

func ids(r stage.ActionReport) map[string]bool {
	all := map[string]bool{}
	for _, one := range r.Findings {
		all[one.ID] = true
	}
	return all
}

func (f *ActionFixture) plan(t testing.TB) {
	r, want := actionRequests()["planned"], actionRequests()["planned"]
	f.runDry(t, "planned", r)
	if !reflect.DeepEqual(r.Plan, want.Plan) {
		t.Errorf("the plan was changed to\n%+v\nfrom\n%+v", r.Plan, want.Plan)
	}
}

func (f *ActionFixture) cancelled(t testing.TB) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := f.Open(t)
	var report stage.ActionReport
	err := promptly(t, "a run with a cancelled context", func() (err error) {
		report, err = a.Run(ctx, actionRequests()["start"])
		return err
	})
	if bad := report.Validate(); bad != nil && err == nil {
		t.Errorf("a run with a cancelled context: %v", bad)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Logf("a run with a cancelled context: %v", err)
	}
	if c, ok := a.(stage.Closer); ok {
		must(t, "closing the action", c.Close(t.Context()))
	}
}

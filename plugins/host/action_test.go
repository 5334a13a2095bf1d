package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
	"github.com/lmsvault/vault/plugins/sdk"
)

// acts is the configuration of an action that reports its arguments.
type acts struct {
	Mode  string     `key:"mode" help:"what it does"`
	Token sdk.Secret `key:"token" help:"a secret"`
}

type acting struct {
	sdk.UnimplementedAction
	acts
}

func (a acting) Run(ctx context.Context, r sdk.ActionRequest) (report sdk.ActionReport, err error) {
	add := func(level stage.Level, id, what string) {
		report.Findings = append(report.Findings, sdk.ActionFinding{ID: id, Level: level, What: what, Where: "here", Remedy: "do this", Details: "line 1\nline 2 " + a.Token.Reveal()})
	}
	switch a.Mode {
	case "error":
		add(sdk.LevelNote, "before", "before the error")
		return report, failure.New(failure.Refused, "no room")
	case "many":
		for range 3000 {
			add(sdk.LevelOK, "many", strings.Repeat("x", 100))
		}
	case "bad":
		add("terrible", "Bad ID", "x")
	case "ask":
		report.Confirm = fmt.Sprintf("replace %s\nwith %v?", a.Token.Reveal(), r.Plan.Facts)
		add(sdk.LevelWarning, "large", "the log is large")
		report.Findings[0].Exclude = []string{"db/log", "dataroot/" + a.Token.Reveal()}
	case "ask only":
		report.Confirm = "sure?"
	case "death":
		os.Exit(3)
	case "hang":
		<-ctx.Done()
		return report, ctx.Err()
	default:
		defer stage.Step(ctx, "working with "+a.Token.Reveal())()
		plan, outcome := "none", "none"
		if r.Plan != nil {
			plan = fmt.Sprintf("%s %v %v %d", r.Plan.Tables[0].Schema.Name, r.Plan.Parts, r.Plan.Facts, r.Plan.Bytes)
		}
		if r.Outcome != nil {
			outcome = fmt.Sprintf("%+v", *r.Outcome)
		}
		add(sdk.LevelWarning, "told", fmt.Sprintf("%s %s %v plan %s outcome %s", r.Moment, r.Pipeline, r.DryRun, plan, outcome))
	}
	return report, nil
}

func actor() sdk.Stage {
	return sdk.ActionStage("acts", "Reports its arguments.", "", func(_ context.Context, c *acts, _ sdk.Env) (sdk.Action, error) { return acting{acts: *c}, nil })
}

func act(t *testing.T, mode string) stage.Action {
	t.Helper()
	a, err := newHost(t).Isolate(actor(), self(t)).NewAction(t.Context(), &acts{Mode: mode, Token: config.NewSecret("hunter2-token")}, stage.Env{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestActionRequestOverProcess(t *testing.T) {
	started := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	outcome := &stage.RunOutcome{
		Status: stage.StatusPartial, Exit: 4, Error: "lost\nsome", Run: "r", Started: started, Bytes: 1, Rows: 2, Files: 3, Losses: 4,
		Snapshots: []stage.Summary{{Snapshot: "s", Where: "w", Plain: 3, New: 2, Stored: 1}},
	}
	plan := &stage.Plan{
		Pipeline: "nightly", Parts: []string{stage.DB}, Facts: map[string]string{"engine": "x"}, Bytes: 7,
		Tables: []stage.TableInfo{{Schema: schema.Table{Name: "user", Columns: []schema.Column{{Name: "id", Type: schema.Type{Kind: schema.Int}}}}}},
	}
	for want, r := range map[string]stage.ActionRequest{
		"start nightly true plan none outcome none":                         {Moment: stage.MomentStart, Pipeline: "nightly", DryRun: true},
		"planned nightly false plan user [db] map[engine:x] 7 outcome none": {Moment: stage.MomentPlanned, Pipeline: "nightly", Plan: plan},
		fmt.Sprintf("after nightly false plan none outcome %+v", *outcome):  {Moment: stage.MomentAfter, Pipeline: "nightly", Outcome: outcome},
	} {
		var steps []string
		ctx := stage.WithSteps(t.Context(), func(text string) func() { steps = append(steps, text); return func() {} })
		report, err := act(t, "").Run(ctx, r)
		wanted := []stage.ActionFinding{{ID: "told", Level: stage.LevelWarning, What: strings.ReplaceAll(want, "\n", " "), Where: "here", Remedy: "do this", Details: "line 1\nline 2 ***"}}
		if len(report.Findings) == 1 {
			report.Findings[0].What = strings.ReplaceAll(report.Findings[0].What, "\n", " ")
		}
		if err != nil || !reflect.DeepEqual(report.Findings, wanted) {
			t.Errorf("%+v, %v\nwant %+v", report.Findings, err, wanted)
		}
		if !slices.Equal(steps, []string{"working with ***"}) {
			t.Errorf("steps are %q", steps)
		}
	}
}

func TestFindingsBeforeAnErrorAreKept(t *testing.T) {
	report, err := act(t, "error").Run(t.Context(), stage.ActionRequest{Moment: stage.MomentStart})
	if failure.Of(err) != failure.Refused || err.Error() != "no room" || len(report.Findings) != 1 || report.Findings[0].ID != "before" {
		t.Errorf("%+v, %v", report, err)
	}
	if report, err := act(t, "many").Run(t.Context(), stage.ActionRequest{}); err != nil || len(report.Findings) != 3000 {
		t.Errorf("%d findings, %v", len(report.Findings), err)
	}
}

func TestInvalidReportIsError(t *testing.T) {
	report, err := act(t, "bad").Run(t.Context(), stage.ActionRequest{})
	if err == nil || len(report.Findings) > 0 || !strings.Contains(err.Error(), `ID "Bad ID"`) {
		t.Errorf("%+v, %v", report, err)
	}
	if report, err = act(t, "death").Run(t.Context(), stage.ActionRequest{}); err == nil || len(report.Findings) > 0 || !strings.Contains(err.Error(), "exited with code 3") {
		t.Errorf("process that died: %+v, %v", report, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, err = act(t, "hang").Run(ctx, stage.ActionRequest{}); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 20*time.Second {
		t.Errorf("hanging action: %v after %v", err, time.Since(begin))
	}
}

func TestActionConformsOverProcess(t *testing.T) {
	h := newHost(t)
	conformance.Action(t, conformance.ActionFixture{Open: func(t testing.TB) stage.Action {
		a, err := h.Isolate(actor(), self(t)).NewAction(t.Context(), &acts{Token: config.NewSecret("hunter2-token")}, stage.Env{TempDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}})
}

func TestPluginCannotHaveComposites(t *testing.T) {
	s := actor()
	s.NewAction, s.Expand = nil, func(context.Context, any, stage.ExpandEnv) (*stage.Expansion, error) { return nil, nil }
	err := sdk.Plugin{Name: "x", Version: "1.0.0", Stages: []sdk.Stage{s}}.Serve()
	if err == nil || err.Error() != "stage acts is a composite, which a plugin can't have" {
		t.Errorf("%v", err)
	}
}

package conformance

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// counter is a correct action that counts its runs, except for the named fault.
type counter struct {
	fault string
	count *int
	runs  *int
}

func (c counter) Run(ctx context.Context, r stage.ActionRequest) (stage.ActionReport, error) {
	*c.runs++
	f := stage.ActionFinding{ID: "count", Level: stage.LevelOK, What: "would count one more"}
	switch {
	case ctx.Err() != nil && c.fault == "waits":
		time.Sleep(grace + time.Second)
	case ctx.Err() != nil:
		return stage.ActionReport{}, ctx.Err()
	case c.fault == "changes in a dry run" || !r.DryRun:
		*c.count++
	case c.fault == "changes the plan" && r.Plan != nil:
		r.Plan.Tables = r.Plan.Tables[1:]
	case c.fault == "counts on the outcome":
		f.What = string(r.Outcome.Status)
	case c.fault == "has no id":
		f.ID = ""
	case c.fault == "has a level of its own":
		f.Level = "terrible"
	case c.fault == "says nothing":
		f.What = ""
	case c.fault == "another ID every time":
		f.ID = "run-" + strconv.Itoa(*c.runs)
	case c.fault == "excludes bytes":
		f.Exclude = []string{"dataroot/\xff"}
	case c.fault == "asks in bytes":
		return stage.ActionReport{Confirm: "replace \xff?"}, nil
	case c.fault == "leaves a goroutine":
		go func() { time.Sleep(time.Second) }()
	}
	return stage.ActionReport{Findings: []stage.ActionFinding{f}}, nil
}

func actionSuite(fault string) []Check {
	count, runs := 0, 0
	return ActionChecks(ActionFixture{
		Open:   func(testing.TB) stage.Action { return counter{fault, &count, &runs} },
		State:  func(testing.TB) string { return strconv.Itoa(count) },
		effort: little,
	})
}

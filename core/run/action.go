package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/stage"
)

// ActionStep is an action of a job.
type ActionStep struct {
	Name   string // unique in the job
	Stage  string // its name
	Moment stage.Moment
	// Of MomentAfter: whether it runs after a run that succeeded, and after others.
	AfterSuccess, AfterFailure bool
	Action                     stage.Action
}

// farewell is how long the actions after an interrupted run may take together.
const farewell = 2 * time.Minute

// act runs the actions of a moment, as r says. Its error, without a class, names those
// that say no. Where one does and goesOn is false, those after it don't run.
func (j *Job) act(ctx context.Context, r stage.ActionRequest, goesOn bool) error {
	r.Pipeline = j.Name
	var errs []error
	for _, a := range j.Actions {
		if a.Moment != r.Moment {
			continue
		}
		result := stage.ActionResult{Name: a.Name, Stage: a.Stage, Moment: a.Moment, DryRun: r.DryRun}
		switch {
		case len(errs) > 0 && !goesOn:
			result.Skipped = "an action before it said no"
		case r.Outcome != nil && !a.follows(r.Outcome.Status):
			result.Skipped = "it does not run after " + string(r.Outcome.Status)
		default:
			j.track.phase(phaseOf(r.Moment))
			errs = append(errs, j.perform(ctx, a, r, &result)...)
			j.track.report(progress.Acted, nil, func(e *progress.Event) { e.Action = &result })
		}
		j.acted = append(j.acted, result)
	}
	return errors.Join(errs...)
}

func phaseOf(m stage.Moment) string {
	if m == stage.MomentAfter {
		return "after"
	}
	return "before"
}

// follows tells whether the action runs after a run of this status.
func (a *ActionStep) follows(s stage.RunStatus) bool {
	if s == stage.StatusSuccess {
		return a.AfterSuccess
	}
	return a.AfterFailure
}

// perform runs one action. It returns why the action says no, if it does.
func (j *Job) perform(ctx context.Context, a ActionStep, r stage.ActionRequest, result *stage.ActionResult) []error {
	result.Started = time.Now().UTC()
	var report stage.ActionReport
	err := j.track.during(ctx, a.Name, "running the action", func(ctx context.Context) (err error) {
		report, err = a.Action.Run(ctx, r)
		return err
	})
	if bad := report.Validate(); bad != nil {
		report, err = stage.ActionReport{}, errors.Join(err, bad)
	}
	for i := range report.Findings {
		f := &report.Findings[i]
		for _, text := range []*string{&f.What, &f.Where, &f.Remedy, &f.Details} {
			*text = j.redacted(*text)
		}
	}
	result.Finished, result.Findings, result.Level = time.Now().UTC(), report.Findings, report.Level()
	var no []error
	for _, f := range report.Findings {
		if f.Level == stage.LevelFail {
			no = append(no, fmt.Errorf("action %s: %s", a.Name, strings.TrimPrefix(f.String(), string(stage.LevelFail)+": ")))
		}
	}
	if err != nil {
		result.Level, result.Error = stage.LevelFail, j.redacted(err.Error())
		no = append(no, fmt.Errorf("action %s: %w", a.Name, err))
	}
	return no
}

func (j *Job) redacted(text string) string {
	if j.Redact == nil {
		return text
	}
	return j.Redact(text)
}

// refused is the error of a run to which an action before it said no; nil for nil.
func refused(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return failure.Wrap(failure.Refused, err)
}

// afterwards runs the actions after a run that ended with err, and returns how the run
// ends with them. They can't undo it, and are not told of the interruption.
func (j *Job) afterwards(ctx context.Context, r *Result, err error) error {
	if ctx.Err() != nil {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		ctx = limited
	}
	o := &stage.RunOutcome{
		Status: j.status(err), Exit: int(failure.Of(err)), Run: r.Run, Started: r.Started, Snapshots: r.Stored,
		Bytes: r.Counts.Bytes, Rows: r.Counts.Rows, Files: r.Counts.Files,
	}
	for _, l := range r.Losses {
		o.Losses += l.Count
	}
	if err != nil {
		o.Error = j.redacted(err.Error())
	}
	bad := j.act(ctx, stage.ActionRequest{Moment: stage.MomentAfter, DryRun: j.DryRun, Outcome: o}, true)
	switch {
	case bad == nil:
		return err
	case err == nil:
		return failure.New(failure.Afterwards, "the run is done and proven, but not all that should follow: %w", bad)
	}
	return failure.Wrap(failure.Of(err), errors.Join(err, bad))
}

// status is that of a run that ended with err.
func (j *Job) status(err error) stage.RunStatus {
	if err == nil {
		return stage.StatusSuccess
	}
	for _, t := range j.Targets {
		if !j.DryRun && (t.published || t.proven && t.keeps()) {
			return stage.StatusPartial
		}
	}
	return stage.StatusFailure
}

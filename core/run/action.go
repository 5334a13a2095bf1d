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
	Stage  string // name of the stage
	Moment stage.Moment
	// For MomentAfter: whether the action runs after a successful and after a failed run.
	AfterSuccess, AfterFailure bool
	Action                     stage.Action
}

// afterInterrupt is how long the actions after an interrupted run may take altogether.
const afterInterrupt = 2 * time.Minute

// act runs the actions of the moment of r. It returns an error without a class that lists
// the failed actions. Unless all is set, the actions after a failed one are skipped.
func (j *Job) act(ctx context.Context, r stage.ActionRequest, all bool) error {
	r.Pipeline = j.Name
	var errs []error
	for _, a := range j.Actions {
		if a.Moment != r.Moment {
			continue
		}
		result := stage.ActionResult{Name: a.Name, Stage: a.Stage, Moment: a.Moment, DryRun: r.DryRun}
		switch {
		case len(errs) > 0 && !all:
			result.Skipped = "an earlier action failed"
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

// follows reports whether the action runs after a run with this status.
func (a *ActionStep) follows(s stage.RunStatus) bool {
	if s == stage.StatusSuccess {
		return a.AfterSuccess
	}
	return a.AfterFailure
}

// perform runs one action and completes its result. It returns the reasons if the action
// failed.
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
	if err == nil && report.Confirm != "" && !r.DryRun && r.Outcome == nil && report.Level() != stage.LevelFail {
		err = j.confirm(ctx, a, report)
	}
	for i := range report.Findings {
		f := &report.Findings[i]
		for _, text := range []*string{&f.What, &f.Where, &f.Remedy, &f.Details} {
			*text = j.redacted(*text)
		}
	}
	result.Finished, result.Findings, result.Level = time.Now().UTC(), report.Findings, report.Level()
	var failed []error
	for _, f := range report.Findings {
		if f.Level == stage.LevelFail {
			failed = append(failed, fmt.Errorf("action %s: %s", a.Name, strings.TrimPrefix(f.String(), string(stage.LevelFail)+": ")))
		}
	}
	if err != nil {
		result.Level, result.Error = stage.LevelFail, j.redacted(err.Error())
		failed = append(failed, fmt.Errorf("action %s: %w", a.Name, err))
	}
	return failed
}

// confirm asks a person to confirm a report, with its warnings.
func (j *Job) confirm(ctx context.Context, a ActionStep, report stage.ActionReport) error {
	text := report.Confirm
	for _, f := range report.Findings {
		if f.Level == stage.LevelWarning {
			text = f.String() + "\n" + text
		}
	}
	if j.Confirm == nil {
		return failure.New(failure.Refused, "nobody can confirm it: %s", j.redacted(text))
	}
	return j.Confirm(ctx, a.Name, j.redacted(text))
}

func (j *Job) redacted(text string) string {
	if j.Redact == nil {
		return text
	}
	return j.Redact(text)
}

// refused returns the error of a run that is refused by an action; nil for nil.
func refused(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return failure.Wrap(failure.Refused, err)
}

// afterwards runs the actions after a run that ended with err, and returns the final error
// of the run. They run with a context of their own if the run was interrupted.
func (j *Job) afterwards(ctx context.Context, r *Result, err error) error {
	if ctx.Err() != nil {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterInterrupt)
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
		return failure.New(failure.Afterwards, "the run is done and proven, but an action after it failed: %w", bad)
	}
	return failure.Wrap(failure.Of(err), errors.Join(err, bad))
}

// status returns the status of a run that ended with err.
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

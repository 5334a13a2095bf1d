package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// Recovery is what became of a run that died while it published its targets.
type Recovery string

// The outcomes of a recovery.
const (
	RecoveredNothing Recovery = ""          // no run died while it published
	RecoveredNew     Recovery = "completed" // the new site is in place
	RecoveredOld     Recovery = "retracted" // the old site is as before
	RecoveredNeither Recovery = "unknown"   // it can't be told which database the site has
)

// interrupted is a target that a dead run has exposed.
type interrupted struct {
	*Target
	sink stage.Recoverer
}

// recoverEarlier completes or retracts what a dead run has exposed. What it can't decide is
// left to Begin, and the site stays closed until this run has published.
func (j *Job) recoverEarlier(ctx context.Context) error {
	outcome, err := j.recover(ctx)
	j.Notes = append(j.Notes, outcome.notes()...)
	return err
}

func (r Recovery) notes() []stage.Note {
	text := ""
	switch r {
	case RecoveredNew:
		text = "a restore was interrupted while it was published; it was completed, and the site is that restore's"
	case RecoveredOld:
		text = "a restore was interrupted before it was published; the site is as it was before"
	case RecoveredNeither:
		text = "a restore was interrupted while it was published, and whether the database is the old one or the new one is unknown; the site stays closed until it is restored again"
	default:
		return nil
	}
	return []stage.Note{{Text: text}}
}

// Recover completes a run of this pipeline that died while it published its targets, or
// takes it back if its database is still the old one. Where it completed the site, the
// actions after a successful run follow, such as those that end maintenance mode; where it
// took the run back, those after a failed one.
//
// An outcome of RecoveredNeither comes with an error of class failure.Refused. Recover can
// be repeated.
func (j *Job) Recover(ctx context.Context) (Recovery, []stage.ActionResult, error) {
	j.log = newRunLog(j.redacted)
	j.track = startTracker(j.Reporter, j.Name, j.log)
	defer func() { j.track.end() }()
	r := &Result{Run: j.track.to.Run(), Started: time.Now().UTC()}
	if err := j.beginLog(r); err != nil {
		return RecoveredNothing, nil, err
	}
	outcome, actions, err := j.recoverAll(ctx)
	return outcome, actions, j.endRecovery(r, outcome, err)
}

func (j *Job) recoverAll(ctx context.Context) (Recovery, []stage.ActionResult, error) {
	outcome, err := j.recover(ctx)
	if err != nil {
		return outcome, nil, err
	}
	if outcome == RecoveredNeither {
		return outcome, nil, failure.New(failure.Refused, "whether the database is the old one or the new one is unknown; run the pipeline again")
	}
	if outcome == RecoveredNothing { // it died before
		err = j.retract(ctx)
	}
	if err := errors.Join(err, j.settleAll(ctx)); err != nil {
		return outcome, nil, err
	}
	o := &stage.RunOutcome{Status: stage.StatusSuccess, Run: j.track.to.Run()}
	if outcome != RecoveredNew {
		o.Status, o.Exit, o.Error = stage.StatusFailure, int(failure.Failed), "the run was interrupted before it was published"
	}
	err = j.act(ctx, stage.ActionRequest{Moment: stage.MomentAfter, Outcome: o}, true)
	if err != nil {
		err = failure.New(failure.Afterwards, "the site is recovered, but an action after it failed: %w", err)
	}
	return outcome, j.acted, err
}

func (j *Job) recover(ctx context.Context) (Recovery, error) {
	if j.DryRun {
		return RecoveredNothing, nil
	}
	pending, run, err := j.interrupted(ctx)
	if err != nil || pending == nil {
		return RecoveredNothing, err
	}
	j.track.phase("recover")
	outcome, err := j.decide(ctx, run)
	if err != nil || outcome == RecoveredNeither {
		return outcome, err
	}
	if outcome == RecoveredOld {
		return outcome, j.retract(ctx)
	}
	for _, t := range pending {
		if err := j.track.during(ctx, t.Name, "completing an interrupted restore", t.sink.Complete); err != nil {
			return outcome, fmt.Errorf("%s: %w", t.Name, err)
		}
	}
	return outcome, j.settleAll(ctx)
}

// retract removes what a dead run left in the targets that are directories.
func (j *Job) retract(ctx context.Context) error {
	for _, t := range slices.Backward(j.published()) {
		sink, ok := t.Sink.(stage.Recoverer)
		if !ok {
			continue
		}
		if err := j.track.during(ctx, t.Name, "taking back an interrupted restore", sink.Retract); err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
	}
	return nil
}

// interrupted returns the targets that a dead run exposed, data root first, and the run. All
// must name the same one: a run exposes all or none of a site.
func (j *Job) interrupted(ctx context.Context) (pending []interrupted, run string, err error) {
	for _, t := range j.published() {
		sink, ok := t.Sink.(stage.Recoverer)
		if !ok {
			continue
		}
		exposed, err := sink.Exposed(ctx)
		switch {
		case err != nil:
			return nil, "", fmt.Errorf("%s: %w", t.Name, err)
		case exposed == "":
			continue
		case run != "" && exposed != run:
			return nil, "", failure.New(failure.Refused, "%s: an interrupted restore (%s) is not the one in %s (%s); restore each with the pipeline that began it", t.Name, exposed, pending[0].Name, run)
		}
		run, pending = exposed, append(pending, interrupted{t, sink})
	}
	return pending, run, nil
}

// decide asks the databases whether they are the new ones. A database that can't tell, or
// none, or two that disagree, decide nothing.
func (j *Job) decide(ctx context.Context, run string) (Recovery, error) {
	switch {
	case strings.HasPrefix(run, stage.SettledRun):
		return RecoveredNew, nil
	case strings.HasPrefix(run, undecided):
		return RecoveredNeither, nil
	}
	var answers []bool
	for _, t := range j.databases() {
		sink, ok := t.Sink.(stage.Decider)
		if !ok {
			return RecoveredNeither, nil
		}
		published, err := sink.Published(ctx, run)
		if err != nil {
			return RecoveredNeither, fmt.Errorf("%s: %w", t.Name, err)
		}
		answers = append(answers, published)
	}
	answers = slices.Compact(answers)
	switch {
	case len(answers) != 1:
		return RecoveredNeither, nil
	case answers[0]:
		return RecoveredNew, nil
	}
	return RecoveredOld, nil
}

// settleAll settles all targets that a dead run may have left.
func (j *Job) settleAll(ctx context.Context) error {
	var errs []error
	for _, t := range slices.Backward(j.published()) {
		if sink, ok := t.Sink.(stage.Exposer); ok {
			if err := j.track.during(ctx, t.Name, "cleaning up", sink.Settle); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", t.Name, err))
			}
		}
	}
	return errors.Join(errs...)
}

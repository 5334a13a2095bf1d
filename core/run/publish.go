package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/lmsvault/vault/core/stage"
)

// published returns the targets in the order in which they are published: databases, which
// decide whether a visitor gets the old site or the new one, then the data root, then the
// file pool, whose old contents are removed last. Repositories come with the databases.
func (j *Job) published() []*Target {
	order := func(t *Target) int {
		switch {
		case t.holds(stage.DB) || t.keeps():
			return 0
		case t.holds(stage.Dataroot):
			return 1
		}
		return 2
	}
	list := slices.Clone(j.Targets)
	slices.SortStableFunc(list, func(a, b *Target) int { return cmp.Compare(order(a), order(b)) })
	return list
}

// publish exposes, publishes and settles all targets. Once a database is published, an
// interruption no longer ends it.
func (j *Job) publish(ctx context.Context) error {
	targets := j.published()
	for _, t := range targets {
		j.ifKilled(t, t.between(), false)
	}
	if err := j.expose(ctx, targets); err != nil {
		return err
	}
	for _, t := range targets {
		t.publishing = true
		if err := j.track.during(ctx, t.Name, "publishing", t.Sink.Publish); err != nil {
			err = fmt.Errorf("%s: %w", t.Name, err)
			if !j.tookEffect(ctx, t) {
				return err
			}
			j.ledger.note(t, stage.Note{Text: fmt.Sprintf("the new site is in place, although publishing it reported an error: %v", err)})
		}
		t.begun, t.published = false, true // it is complete, whatever happens to the others
		if slices.Contains(j.databases(), t) {
			ctx = context.WithoutCancel(ctx)
		}
	}
	return j.settle(ctx, targets)
}

// between describes the target while the targets are published.
func (t *Target) between() string {
	if _, ok := t.Sink.(stage.Exposer); ok {
		return "the target is the old site or the new one, which is complete and proven; visitors may be shut out; run again, which first completes what was begun or takes it back"
	}
	return "the new site is complete and proven, but may still be marked as incomplete; run again if the site is refused"
}

// expose calls Expose where there is one. The data root is last, because it closes the site.
func (j *Job) expose(ctx context.Context, targets []*Target) error {
	files := func(t *Target) int {
		if t.holds(stage.Dataroot) {
			return 1
		}
		return 0
	}
	targets = slices.SortedStableFunc(slices.Values(targets), func(a, b *Target) int { return cmp.Compare(files(a), files(b)) })
	run := j.publication()
	for _, t := range targets {
		sink, ok := t.Sink.(stage.Exposer)
		if !ok {
			continue
		}
		t.exposed = true
		expose := func(ctx context.Context) error { return sink.Expose(ctx, run) }
		if err := j.track.during(ctx, t.Name, "preparing to publish", expose); err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
	}
	return nil
}

// undecided is the beginning of a run's ID, for Expose, if none of its databases can tell
// later whether it was published.
const undecided = "undecided-"

// publication returns the ID of the run for Expose.
func (j *Job) publication() string {
	if j.decides() {
		return j.track.to.Run()
	}
	return undecided + j.track.to.Run()
}

// databases returns the targets that hold the site's tables.
func (j *Job) databases() []*Target {
	return slices.DeleteFunc(slices.Clone(j.Targets), func(t *Target) bool { return !t.holds(stage.DB) || t.keeps() })
}

// decides reports whether all databases can tell later whether they were published.
func (j *Job) decides() bool {
	databases := j.databases()
	return len(databases) > 0 && !slices.ContainsFunc(databases, func(t *Target) bool {
		_, ok := t.Sink.(stage.Decider)
		return !ok || t.Replace != stage.ReplaceSwap
	})
}

// tookEffect reports whether a Publish that failed was nevertheless executed.
func (j *Job) tookEffect(ctx context.Context, t *Target) bool {
	sink, ok := t.Sink.(stage.Decider)
	if !ok || !t.exposed || t.Replace != stage.ReplaceSwap {
		t.doubtful = t.holds(stage.DB) && !t.keeps()
		return false
	}
	ctx = context.WithoutCancel(ctx)
	if err := sink.Abort(ctx); err == nil { // nothing of it can take effect later
		t.begun = false
	}
	done, err := sink.Published(ctx, j.publication())
	t.doubtful = err != nil
	return done
}

// settle calls Settle where there is one: the data root opens the site, then databases are
// cleaned up.
func (j *Job) settle(ctx context.Context, targets []*Target) error {
	var errs []error
	for _, t := range slices.Backward(targets) {
		if sink, ok := t.Sink.(stage.Exposer); ok && t.exposed {
			if err := j.track.during(ctx, t.Name, "cleaning up", sink.Settle); err != nil {
				errs = append(errs, fmt.Errorf("%s: the new site is in place, but: %w", t.Name, err))
			}
		}
		t.noteRemains(ctx, j.ledger)
	}
	return errors.Join(errs...)
}

// follows reports whether a target must be completed rather than aborted, because its site's
// database is or may be the new one.
func (j *Job) follows(t *Target) bool {
	return t.exposed && t.proven && !t.holds(stage.DB) && slices.ContainsFunc(j.databases(), func(other *Target) bool {
		return other.published || other.doubtful
	})
}

func (j *Job) following() string {
	return "its new files are complete but not in place, although the new database is; the site stays closed until then; " +
		"run vault recover with this pipeline, or run the pipeline again"
}

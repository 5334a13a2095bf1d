package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
)

// Run plans and executes the job. It returns a Result even with an error, as far as
// the run got.
func (j *Job) Run(ctx context.Context) (*Result, error) {
	r := &Result{Pipeline: j.Name, Started: time.Now().UTC(), DryRun: j.DryRun}
	j.log = newRunLog(j.redacted)
	j.track = startTracker(j.Reporter, j.Name, j.log)
	defer j.track.end()
	r.Run = j.track.to.Run()
	err := j.beginLog(r)
	if err == nil {
		err = j.run(ctx, r)
	}
	if ctx.Err() != nil && err != nil {
		err = failure.Wrap(failure.Interrupted, err)
	}
	if j.ledger != nil {
		r.Losses, r.Notes = j.ledger.report()
	}
	r.Facts, r.Snapshots = stage.PublicFacts(j.facts), j.snapshots
	r.Counts = j.track.counts()
	err = j.afterwards(ctx, r, err)
	r.Actions = j.acted
	r.Finished = time.Now().UTC()
	r.Exit = failure.Of(err)
	j.endLog(r, err)
	return r, err
}

func (j *Job) run(ctx context.Context, r *Result) error {
	if err := j.recoverEarlier(ctx); err != nil {
		return j.ended(ctx, err)
	}
	if err := j.act(ctx, stage.ActionRequest{Moment: stage.MomentStart, DryRun: j.DryRun}, j.DryRun); err != nil {
		return j.ended(ctx, refused(err))
	}
	plan, err := j.plan(ctx)
	if err != nil {
		return j.ended(ctx, err)
	}
	r.Parts = plan.Parts
	if err := j.overBudget(); err != nil {
		return err
	}
	if err := j.act(ctx, stage.ActionRequest{Moment: stage.MomentPlanned, DryRun: j.DryRun, Plan: j.site}, j.DryRun); err != nil {
		return j.ended(ctx, refused(err))
	}
	err = j.execute(ctx, r)
	if err == nil {
		err = j.ledger.over(j.Budget, failure.Unproven, "was")
	}
	if err == nil {
		err = j.publish(ctx)
	}
	if err == nil {
		return nil
	}
	if failure.Of(err) == failure.Refused {
		err = failure.Wrap(failure.Failed, err) // Refused would promise that nothing was changed
	}
	return errors.Join(j.ended(ctx, err), j.abort(ctx))
}

// interruption is the error of a run that was ended by a signal. It hides the errors
// of the calls that were cut short, which do not help a person.
type interruption struct {
	text  string
	cause error
}

func (i *interruption) Error() string { return i.text }
func (i *interruption) Unwrap() error { return i.cause }

// ended returns err or, if the run was interrupted, an error that says what that
// means for earlier backups.
func (j *Job) ended(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("interrupted: %w", err)
	}
	text := "interrupted"
	if slices.ContainsFunc(j.Targets, func(t *Target) bool { return t.keeps() }) {
		text += "; earlier backups are intact, run the same command again to continue"
	}
	return &interruption{text, err}
}

// noteRemains notes what a sink could not clean up. The target is already published,
// so nothing of this is an error of the run.
func (t *Target) noteRemains(ctx context.Context, l *ledger) {
	sink, ok := t.Sink.(stage.Noter)
	if !ok {
		return
	}
	notes, err := sink.Notes(ctx)
	if err != nil {
		notes = append(notes, stage.Note{Text: fmt.Sprintf("%s: the target is complete, but whether anything of the former one remains is unknown: %v", t.Name, err)})
	}
	l.note(t, notes...)
}

// left says what a failed run leaves in the target.
func (t *Target) left() string {
	switch t.Replace {
	case stage.ReplaceSwap:
		return "the target is as it was before; run again"
	case stage.ReplaceInPlace:
		return "the target is incomplete and marked as such; run again with replace: in_place, or true"
	}
	return "the target holds no usable site; run again, with replace: true if the target is refused"
}

// abort leaves all targets marked as incomplete, except a proven snapshot, which
// lists what it lacks and is better than none.
func (j *Job) abort(ctx context.Context) error {
	var errs []error
	for _, t := range slices.Backward(j.published()) { // the site is opened before its database is cleaned up
		if !t.begun {
			continue
		}
		if t.proven && t.keeps() {
			errs = append(errs, fmt.Errorf("%s: the snapshot is kept and lists what it lacks", t.Name))
			continue
		}
		if j.follows(t) {
			t.ended = j.following()
			errs = append(errs, fmt.Errorf("%s: %s", t.Name, t.ended))
			continue
		}
		err := t.Sink.Abort(context.WithoutCancel(ctx))
		switch {
		case t.publishing && err != nil:
			t.ended = "the target was proven but may or may not be published; check it, or run again with replace: true"
		case t.open && !t.keeps() && !t.dry:
			t.ended = t.left()
		}
		if t.ended != "" {
			errs = append(errs, fmt.Errorf("%s: %s", t.Name, t.ended))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: aborting: %w", t.Name, err))
		}
	}
	return errors.Join(errs...)
}

// execute moves all data, finishes the targets and has them prove what they hold.
func (j *Job) execute(ctx context.Context, r *Result) error {
	j.track.phase("prepare")
	for _, t := range j.Targets {
		if err := j.apart(); err != nil { // once more, as things may have changed since Plan
			return err
		}
		t.begun = true
		j.ifKilled(t, t.left(), t.Replace != stage.ReplaceSwap)
		if err := j.track.during(ctx, t.Name, "preparing the target", func(ctx context.Context) error { return t.Sink.Begin(ctx, t.plan) }); err != nil {
			return t.refusal(err)
		}
		t.open = true
	}
	j.track.expect(j.bytes, int64(len(j.units)))
	j.track.phase("read")
	if err := j.move(ctx); err != nil {
		return err
	}
	if err := j.noteRead(ctx); err != nil {
		return err
	}
	tables, err := j.verifyRead()
	if err != nil {
		return err
	}
	j.weigh()
	if err := j.missing(ctx); err != nil {
		return err
	}
	j.ledger.note(nil, j.setuid.notes()...)
	for _, t := range j.Targets {
		j.ledger.note(t, t.changeNotes()...)
	}
	if err := j.overParts(); err != nil {
		return err
	}
	j.track.phase("finish")
	for _, t := range j.Targets {
		outcome := &stage.Outcome{Tables: tables, Facts: maps.Clone(j.facts)}
		outcome.Dropped, outcome.Added = t.changed()
		outcome.Losses, outcome.Notes = j.ledger.of(t)
		outcome.Log = j.log.soFar()
		if err := j.track.during(ctx, t.Name, "finishing", func(ctx context.Context) error { return t.Sink.Finish(ctx, outcome) }); err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		if s, ok := t.Sink.(stage.SnapshotSink); ok {
			r.Stored = append(r.Stored, s.Summary())
		}
	}
	j.track.phase("prove")
	for _, t := range j.Targets {
		if t.Room != nil {
			if err := t.Room(ctx); err != nil {
				return fmt.Errorf("%s: %w", t.Name, err)
			}
		}
		var results []TableResult
		err := j.track.during(ctx, t.Name, "reading back", func(ctx context.Context) (err error) {
			results, err = t.prove(ctx, j.tallies, j.ledger)
			return err
		})
		r.Tables = append(r.Tables, results...)
		if err != nil {
			return err
		}
		t.proven = true
		files := t.filesProven()
		r.Files = append(r.Files, files...)
		j.track.proven(t, results, files)
	}
	return nil
}

// move reads all units with several workers: databases first, because their snapshots
// cost the server, and large units first, so that none runs alone at the end.
func (j *Job) move(ctx context.Context) error {
	slices.SortStableFunc(j.units, func(a, b work) int {
		if da, db := a.Part == stage.DB, b.Part == stage.DB; da != db {
			if da {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.Bytes, a.Bytes)
	})
	group, ctx := errgroup.WithContext(ctx)
	queue := make(chan func(context.Context) error)
	group.Go(func() error {
		defer close(queue)
		for _, task := range j.tasks() {
			select {
			case queue <- task:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range j.Workers {
		group.Go(func() error {
			for task := range queue {
				if err := task(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// tasks returns the units and the counts of tables. Counts follow the units of
// databases, while the rows are still in the server's memory.
func (j *Job) tasks() []func(context.Context) error {
	var tables, others []func(context.Context) error
	for _, w := range j.units {
		task := func(ctx context.Context) error { return j.transfer(ctx, w) }
		if w.Part == stage.DB {
			tables = append(tables, task)
		} else {
			others = append(others, task)
		}
	}
	for _, c := range j.counts {
		tables = append(tables, func(ctx context.Context) error { return j.count(ctx, c) })
	}
	return append(tables, others...)
}

// noteRead asks the sources and transforms for notes that they have only after reading.
func (j *Job) noteRead(ctx context.Context) error {
	for _, o := range j.Origins {
		source, ok := o.Source.(stage.Noter)
		if !ok {
			continue
		}
		notes, err := source.Notes(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", o.Name, err)
		}
		j.ledger.note(nil, notes...)
	}
	for _, t := range j.transforms() {
		transform, ok := t.(stage.Noter)
		if !ok {
			continue
		}
		notes, err := transform.Notes(ctx)
		if err != nil {
			return fmt.Errorf("a transform: %w", err)
		}
		j.ledger.note(nil, notes...)
	}
	return nil
}

// verifyRead compares the rows read with what a snapshot says it holds and with what
// the source counted, and returns the checksums of all tables.
func (j *Job) verifyRead() ([]stage.TableProof, error) {
	var proofs []stage.TableProof
	var faults, uncounted []error
	for _, t := range j.tallies {
		sum, damaged := t.total()
		if fault := t.uncounted(); fault != "" {
			uncounted = append(uncounted, fmt.Errorf("table %s: %s", t.schema.Name, fault))
		}
		switch {
		case t.stored == nil || *t.stored == sum:
		case damaged > 0 && t.stored.Rows == sum.Rows+damaged:
			// The remaining rows were authenticated chunk by chunk; the budget
			// decides whether they are enough.
			j.ledger.note(nil, stage.Note{Path: stage.DB + "/" + t.schema.Name,
				Text: fmt.Sprintf("not proven against the backup: %d of its %d rows are damaged in the repository", damaged, t.stored.Rows)})
		default:
			faults = append(faults, fmt.Errorf("table %s: %s", t.schema.Name, sumFault(*t.stored, sum)))
		}
		proofs = append(proofs, stage.TableProof{Schema: t.schema, Sum: sum})
	}
	slices.SortFunc(proofs, func(a, b stage.TableProof) int { return cmp.Compare(a.Schema.Name, b.Schema.Name) })
	if faults != nil {
		return nil, failure.New(failure.Unproven, "the snapshot does not hold the rows that it lists:\n%w", errors.Join(faults...))
	}
	if uncounted != nil {
		slices.SortFunc(uncounted, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
		return nil, failure.New(failure.Unproven, "not all rows were read, or some twice:\n%w", errors.Join(uncounted...))
	}
	return proofs, nil
}

// missing records the contents that the table files refers to and no source
// delivered.
func (j *Job) missing(ctx context.Context) error {
	if j.contents == nil {
		return nil
	}
	orphans, err := j.contents.Missing(ctx, func(hash string) error {
		path := hash
		if moodle.ValidHash(hash) {
			path = moodle.ContentPath(hash)
		}
		path = stage.Filedir + "/" + path
		if j.chosen.excludes(path) || j.recorded.covers(path) {
			return nil // excluded on purpose, or already counted
		}
		j.ledger.lose(nil, stage.Loss{Kind: stage.LossMissing, Path: path, Count: 1,
			Reason: "the table files refers to this content, but no source has it"})
		return nil
	})
	if err != nil {
		return fmt.Errorf("checking that no file content is missing: %w", err)
	}
	if orphans > 0 {
		j.ledger.note(nil, stage.Note{Path: stage.Filedir, Text: fmt.Sprintf("no row of the table files refers to %d of the contents", orphans)})
	}
	return nil
}

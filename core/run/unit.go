package run

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// Pauses before retries of a unit after a temporary error: each twice as long as the
// one before.
const (
	firstPause  = time.Second
	maxPause    = 30 * time.Second
	maxAttempts = 5 // maximum number of attempts
)

// transfer transfers a single unit and retries temporary errors.
func (j *Job) transfer(ctx context.Context, w work) error {
	j.track.began(w.ID)
	done := map[*Target]*committed{}
	if err := j.retry(ctx, w.ID, func() error { return j.attempt(ctx, w, done) }); err != nil {
		return err
	}
	j.track.finished(w.ID)
	return nil
}

// retry calls attempt until it returns no temporary error.
func (j *Job) retry(ctx context.Context, path string, attempt func() error) error {
	pause := j.firstPause
	for n := 1; ; n++ {
		err := attempt()
		if err == nil {
			return nil
		}
		after, again := stage.IsTemporary(err)
		if !again || n == maxAttempts || ctx.Err() != nil {
			if again && n > 1 {
				return fmt.Errorf("failed after %d attempts: %w", n, err)
			}
			return err
		}
		j.ledger.note(nil, stage.Note{Path: path, Text: fmt.Sprintf("attempt %d failed and was retried: %v", n, err)})
		if err := sleep(ctx, max(pause/2+rand.N(pause), after)); err != nil { // spread retries, so that units do not collide again
			return fmt.Errorf("%s: %w", path, err)
		}
		pause = min(2*pause, maxPause)
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// committed is what a target has of a unit.
type committed struct {
	receipt *stage.Receipt
	mapped  *mappedUnit // nil if rows are not mapped
}

// attempt transfers a unit to the targets that do not have it yet and adds those that
// committed it to done. The job counts the unit when all targets have it.
func (j *Job) attempt(ctx context.Context, w work, done map[*Target]*committed) error {
	var targets []*Target
	for _, t := range j.Targets {
		if t.holds(w.Part) && done[t] == nil {
			targets = append(targets, t)
		}
	}
	if w.Part == stage.DB {
		return j.attemptRows(ctx, w, targets, done)
	}
	return j.attemptFiles(ctx, w, targets, done)
}

// abandon aborts units; each belongs to the target at the same position.
func abandon[U stage.Ending](ctx context.Context, targets []*Target, units []U) error {
	ctx = context.WithoutCancel(ctx)
	var errs []error
	for i, u := range units {
		if err := u.Abort(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: aborting the unit: %w", targets[i].Name, err))
		}
	}
	return errors.Join(errs...)
}

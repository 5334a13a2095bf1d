package run

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// The pauses before a unit is carried again after an error that is temporary:
// each twice as long as the one before.
const (
	firstPause  = time.Second
	mostPause   = 30 * time.Second
	mostAttempt = 5 // how often a unit is carried at most
)

// one carries a single unit, again after errors that are temporary.
func (j *Job) one(ctx context.Context, w work) error {
	j.track.began(w.ID)
	done := map[*Target]*committed{}
	if err := j.again(ctx, w.ID, "carried", func() error { return j.attempt(ctx, w, done) }); err != nil {
		return err
	}
	j.track.finished(w.ID)
	return nil
}

// again does what may be done again, until it has no error that is temporary.
func (j *Job) again(ctx context.Context, path, done string, attempt func() error) error {
	pause := j.firstPause
	for n := 1; ; n++ {
		err := attempt()
		if err == nil {
			return nil
		}
		after, again := stage.IsTemporary(err)
		if !again || n == mostAttempt || ctx.Err() != nil {
			if again && n > 1 {
				return fmt.Errorf("given up after %d attempts: %w", n, err)
			}
			return err
		}
		j.ledger.note(nil, stage.Note{Path: path, Text: fmt.Sprintf("attempt %d failed, and it was %s again: %v", n, done, err)})
		if err := sleep(ctx, max(pause/2+rand.N(pause), after)); err != nil { // those that met at one moment don't meet again
			return fmt.Errorf("%s: %w", path, err)
		}
		pause = min(2*pause, mostPause)
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
	mapped  *mappedUnit // nil where rows pass as they are
}

// attempt carries a unit to the targets that don't have it yet, and enters in done
// those that took it. What is counted is entered in the job when all have.
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

// abandon gives units up, each of which has the target of the same position.
func abandon[U stage.Ending](ctx context.Context, targets []*Target, units []U) error {
	ctx = context.WithoutCancel(ctx)
	var errs []error
	for i, u := range units {
		if err := u.Abort(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: giving it up: %w", targets[i].Name, err))
		}
	}
	return errors.Join(errs...)
}

package retry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/lmsvault/vault/core/stage"
)

// The pauses between attempts: the first is about firstPause, each is twice the previous
// one up to maxPause, and all vary by half at random. No attempt begins after giveUp.
const (
	firstPause = 200 * time.Millisecond
	maxPause   = 30 * time.Second
	giveUp     = 5 * time.Minute
)

// call makes a call that moves size bytes and repeats it while its error is temporary.
// again is the number of previous attempts. do calls alive to report that it is still
// making progress.
func (s *Storage) call(ctx context.Context, what string, size int64, do func(ctx context.Context, again int, alive func()) error) error {
	pauses := backoff.ExponentialBackOff{InitialInterval: firstPause, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: maxPause}
	began := time.Now()
	for again := 0; ; again++ {
		err := s.attempt(ctx, what, size, func(ctx context.Context, alive func()) error { return do(ctx, again, alive) })
		after, ok := temporary(err)
		if !ok || ctx.Err() != nil {
			return err
		}
		pause := max(after, pauses.NextBackOff())
		if time.Since(began)+pause > giveUp {
			return fmt.Errorf("%s: gave up after %v (attempt %d): %w", what, time.Since(began).Round(time.Second), again+1, err)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(context.Cause(ctx), err)
		}
	}
}

// temporary reports whether a call may be repeated, and the minimum time to wait.
func temporary(err error) (after time.Duration, ok bool) {
	if errors.Is(err, stage.ErrNotExist) {
		return 0, false
	}
	return stage.IsTemporary(err)
}

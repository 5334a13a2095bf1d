package retry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/lmsvault/vault/core/stage"
)

// The pauses between calls: the first is about firstPause, each is twice the one
// before up to maxPause, and all differ by half at random. After giveUp no call
// begins.
const (
	firstPause = 200 * time.Millisecond
	maxPause   = 30 * time.Second
	giveUp     = 5 * time.Minute
)

// call makes a call that moves size bytes, and repeats it while its error is
// temporary. again counts the calls before this one. alive tells that a call goes on.
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
			return fmt.Errorf("%s: given up after %v (attempt %d): %w", what, time.Since(began).Round(time.Second), again+1, err)
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

// temporary tells whether a call may be repeated, and how long to wait at least.
func temporary(err error) (after time.Duration, ok bool) {
	if errors.Is(err, stage.ErrNotExist) {
		return 0, false
	}
	return stage.IsTemporary(err)
}

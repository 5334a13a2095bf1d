package retry

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A call may take slowBase plus the time to transfer its bytes at slowRate. A pack of 16
// MiB therefore has 22 minutes.
const (
	slowBase = 5 * time.Minute
	slowRate = 16 << 10 // bytes per second
	// grace is how long a cancelled call may take to return.
	grace = 10 * time.Second
)

// ErrSlow is returned, wrapped, by a call that was abandoned because the storage did not
// respond in time.
var ErrSlow = errors.New("the storage does not respond")

// timeout returns how long a call that moves size bytes may take.
func (s *Storage) timeout(size int64) time.Duration {
	return s.base + time.Duration(size/slowRate)*time.Second
}

// attempt makes one call that moves size bytes. If it returns an error, do may still be
// running, so its data must not be used except by other calls of s.
func (s *Storage) attempt(ctx context.Context, what string, size int64, do func(ctx context.Context, alive func()) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	limit := s.timeout(size)
	timer := time.AfterFunc(limit, func() { cancel(ErrSlow) })
	defer timer.Stop()
	return s.wait(ctx, what, limit, func(ctx context.Context) error {
		return do(ctx, func() { timer.Reset(limit) })
	})
}

// wait runs do until it returns, or until grace has passed after ctx ended.
func (s *Storage) wait(ctx context.Context, what string, limit time.Duration, do func(ctx context.Context) error) error {
	if hung := s.hangs(); hung != nil {
		return hung
	}
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		select {
		case err = <-done:
		case <-time.After(s.grace):
			err = fmt.Errorf("%s: %w and the call cannot be cancelled (is a network share offline?): %w", what, ErrSlow, context.Cause(ctx))
			s.mu.Lock()
			s.hung = err
			s.mu.Unlock()
			return err
		}
	}
	if err != nil && context.Cause(ctx) == ErrSlow {
		return fmt.Errorf("%s: %w for %v: %w", what, ErrSlow, limit, err)
	}
	return err
}

// hangs returns the error of the call that did not return, or nil.
func (s *Storage) hangs() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hung
}

package conformance

import (
	"context"
	"testing"
	"time"
)

// Process is the process that a stage runs in. A fixture that has one gets the
// checks crash/…: a plugin that is killed must not make anybody believe in what
// is not there, nor make the host wait.
type Process interface {
	// Kill ends, as kill -9 does, every process that serves stages which the
	// fixture opened, and returns when they are gone; none is no error. What the
	// fixture opens next works, in another process.
	Kill() error
}

// steps is at how many moments a call is cancelled or its process killed,
// evenly over the time that such a call took undisturbed.
const steps = 5

// moment is the nth of these.
func moment(n int, took time.Duration) time.Duration { return took * time.Duration(n) / steps }

// during runs call and, after a time, disturb. It fails t if the call does not
// return within grace after that, and returns the call's error.
func during(t testing.TB, what string, after time.Duration, disturb func() error, call func() error) error {
	t.Helper()
	disturbed := make(chan error, 1)
	timer := time.AfterFunc(after, func() { disturbed <- disturb() })
	err := within(t, after+grace, what, call)
	if timer.Stop() {
		disturbed <- disturb()
	}
	must(t, "while testing "+what, <-disturbed)
	return err
}

// closeCrashed closes what is left of a stage. An error is no wonder there, a hang is one.
func closeCrashed(t testing.TB, s interface {
	Close(ctx context.Context) error
}) {
	t.Helper()
	if err := promptly(t, "closing a stage whose process was killed", func() error { return s.Close(context.WithoutCancel(t.Context())) }); err != nil {
		t.Logf("closing a stage whose process was killed: %v", err)
	}
}

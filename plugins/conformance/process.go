package conformance

import (
	"context"
	"testing"
	"time"
)

// Process is the process that a stage runs in. A fixture with a Process gets the crash/
// checks: a killed plugin must not make incomplete data look complete, nor make the host
// hang.
type Process interface {
	// Kill kills every process that serves stages opened by the fixture, as kill -9 does,
	// and returns when they have exited. It returns nil if there is none. Stages that the
	// fixture opens afterwards run in a new process.
	Kill() error
}

// steps is the number of times at which a call is cancelled or its process killed, spread
// evenly over the duration of an undisturbed call.
const steps = 5

// moment returns the nth of these times.
func moment(n int, took time.Duration) time.Duration { return took * time.Duration(n) / steps }

// during runs call and, after a delay, disturb. It fails t if call does not return within
// grace after that, and returns the error of call.
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

// closeCrashed closes a stage whose process was killed. An error is expected, a hang is
// not.
func closeCrashed(t testing.TB, s interface {
	Close(ctx context.Context) error
}) {
	t.Helper()
	if err := promptly(t, "closing a stage whose process was killed", func() error { return s.Close(context.WithoutCancel(t.Context())) }); err != nil {
		t.Logf("closing a stage whose process was killed: %v", err)
	}
}

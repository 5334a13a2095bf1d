package conformance

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

// patience is how long a cancelled call may take to return, and a goroutine to end.
const patience = 5 * time.Second

// leakless runs fn and fails if goroutines that it started outlive it. Tests of
// one process that use it must not run in parallel.
func leakless(t *testing.T, fn func()) {
	t.Helper()
	before := goroutines()
	fn()
	deadline := time.Now().Add(patience)
	for {
		var left []string
		for id, stack := range goroutines() {
			if _, old := before[id]; !old && !strings.Contains(stack, "testing.tRunner(") {
				left = append(left, stack)
			}
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%d goroutines are left:\n%s", len(left), strings.Join(left, "\n\n"))
			return
		}
		<-time.After(time.Millisecond) // another look; the deadline is above
	}
}

// goroutines gives the stacks of all goroutines by their id line's number.
func goroutines() map[string]string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	all := map[string]string{}
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		id, _, _ := strings.Cut(strings.TrimPrefix(stack, "goroutine "), " ")
		all[id] = stack
	}
	return all
}

// promptly fails if fn does not return in time.
func promptly(t *testing.T, what string, fn func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- fn() }()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		t.Fatalf("%s did not return within %v", what, patience)
		return nil
	}
}

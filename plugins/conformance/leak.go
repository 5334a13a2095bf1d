package conformance

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// grace is how long a cancelled call may take to return, and a goroutine to end.
const grace = 5 * time.Second

// connections lists the packages whose goroutines belong to the connection with another
// process. The host opens a connection when it is first needed, possibly during a check,
// and keeps it for later stages; the host's own tests check that it is closed. All other
// goroutines that a stage starts, including those in the host's process, must end with the
// stage.
var connections = [...]string{
	"google.golang.org/grpc",
	"github.com/hashicorp/go-plugin",
	"github.com/lmsvault/vault/plugins/host",
	"os/exec", // pipes of the process
}

// leakless runs fn and fails the test if goroutines started by fn are still running after
// limit. Tests that use it must not run in parallel in one process.
func leakless(t testing.TB, limit time.Duration, fn func()) {
	t.Helper()
	before := goroutines()
	fn()
	deadline := time.Now().Add(limit)
	for {
		var left []string
		for id, stack := range goroutines() {
			if _, old := before[id]; !old && !lasting(stack) {
				left = append(left, stack)
			}
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%d goroutines are still running:\n%s", len(left), strings.Join(left, "\n\n"))
			return
		}
		<-time.After(time.Millisecond) // the deadline is above
	}
}

// lasting reports whether a goroutine may outlive a check: it belongs to a test, or was
// created by a package in connections.
func lasting(stack string) bool {
	if strings.Contains(stack, "testing.tRunner(") {
		return true
	}
	_, creator, _ := strings.Cut(stack, "\ncreated by ")
	for _, pkg := range connections {
		if rest, ok := strings.CutPrefix(creator, pkg); ok && strings.IndexAny(rest, "./") == 0 {
			return true
		}
	}
	return false
}

// goroutines returns the stacks of all goroutines by ID.
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

// promptly fails the test if fn does not return within grace.
func promptly(t testing.TB, what string, fn func() error) error {
	t.Helper()
	return within(t, grace, what, fn)
}

// within fails the test if fn does not return within limit. It returns a panic of fn as an
// error, because in another goroutine a panic would end the program.
func within(t testing.TB, limit time.Duration, what string, fn func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		defer func() {
			if reason := recover(); reason != nil {
				done <- fmt.Errorf("panic: %v", reason)
			}
		}()
		done <- fn()
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(limit):
		t.Fatalf("%s did not return within %v", what, limit.Round(time.Millisecond))
		return nil
	}
}

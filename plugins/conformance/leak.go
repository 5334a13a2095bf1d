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

// connections are the packages whose goroutines belong to the connection with
// another process. The host opens one when it is first needed, inside of a check
// perhaps, and keeps it for the stages to come; that it ends is for the host's
// own tests. Whatever else a stage starts, also in the host's process, must end with it.
var connections = [...]string{
	"google.golang.org/grpc",
	"github.com/hashicorp/go-plugin",
	"github.com/lmsvault/vault/plugins/host",
	"os/exec", // the pipes of the process
}

// leakless runs fn and fails if goroutines that it started outlive it by limit. Tests of
// one process that use it must not run in parallel.
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
			t.Errorf("%d goroutines are left:\n%s", len(left), strings.Join(left, "\n\n"))
			return
		}
		<-time.After(time.Millisecond) // another look; the deadline is above
	}
}

// lasting tells of a goroutine that it may outlive a check: a test, or one that
// a package of connections created.
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
func promptly(t testing.TB, what string, fn func() error) error {
	t.Helper()
	return within(t, grace, what, fn)
}

// within fails if fn does not return in a time. A panic of fn comes back as an
// error: outside of the check's goroutine it would end the program.
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

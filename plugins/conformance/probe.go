package conformance

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// probe is the testing.TB of a check that runs outside of go test. A check must not use
// methods that probe does not define: the embedded nil makes them panic, which fails the
// check.
type probe struct {
	testing.TB
	name   string
	ctx    context.Context
	cancel context.CancelFunc

	mu       sync.Mutex
	failures []string
	logs     []string
	skipped  string
	cleanups []func()
}

func newProbe(ctx context.Context, name string) *probe {
	p := &probe{name: name}
	p.ctx, p.cancel = context.WithCancel(ctx)
	return p
}

// run runs a check, then its Cleanup functions, last first.
func (p *probe) run(check func(t testing.TB)) {
	defer func() {
		p.cancel()
		for {
			p.mu.Lock()
			n := len(p.cleanups)
			if n == 0 {
				p.mu.Unlock()
				return
			}
			last := p.cleanups[n-1]
			p.cleanups = p.cleanups[:n-1]
			p.mu.Unlock()
			p.guarded(last)
		}
	}()
	p.guarded(func() { check(p) })
}

// guarded runs fn in a goroutine of its own, which fn may exit.
func (p *probe) guarded(fn func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if reason := recover(); reason != nil {
				p.Errorf("panic: %v", reason)
			}
		}()
		fn()
	}()
	<-done
}

func (p *probe) result() Result {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Result{Failures: p.failures[:len(p.failures):len(p.failures)], Skipped: p.skipped, Logs: p.logs[:len(p.logs):len(p.logs)]}
}

// enough is the maximum number of failures reported for one check. A broken stage can cause
// thousands.
const enough = 20

func (p *probe) fail(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.failures) == enough {
		p.failures = append(p.failures, "further failures omitted")
	}
	if len(p.failures) > enough {
		return
	}
	p.failures = append(p.failures, strings.TrimSuffix(text, "\n"))
}

func (p *probe) log(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.logs = append(p.logs, strings.TrimSuffix(text, "\n"))
}

func (p *probe) skip(why string) {
	p.mu.Lock()
	p.skipped = strings.TrimSuffix(why, "\n")
	p.mu.Unlock()
	runtime.Goexit()
}

func (p *probe) Name() string             { return p.name }
func (p *probe) Context() context.Context { return p.ctx }
func (p *probe) Helper()                  {}

func (p *probe) Error(args ...any)                 { p.fail(fmt.Sprintln(args...)) }
func (p *probe) Errorf(format string, args ...any) { p.fail(fmt.Sprintf(format, args...)) }
func (p *probe) Fail()                             { p.fail("failed") }
func (p *probe) FailNow()                          { p.Fail(); runtime.Goexit() }
func (p *probe) Fatal(args ...any)                 { p.Error(args...); runtime.Goexit() }
func (p *probe) Fatalf(format string, args ...any) { p.Errorf(format, args...); runtime.Goexit() }
func (p *probe) Log(args ...any)                   { p.log(fmt.Sprintln(args...)) }
func (p *probe) Logf(format string, args ...any)   { p.log(fmt.Sprintf(format, args...)) }
func (p *probe) Skip(args ...any)                  { p.skip(fmt.Sprintln(args...)) }
func (p *probe) Skipf(format string, args ...any)  { p.skip(fmt.Sprintf(format, args...)) }
func (p *probe) SkipNow()                          { p.skip("skipped") }

func (p *probe) Failed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.failures) > 0
}

func (p *probe) Skipped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.skipped != ""
}

func (p *probe) Cleanup(fn func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cleanups = append(p.cleanups, fn)
}

func (p *probe) TempDir() string {
	dir, err := os.MkdirTemp("", "vault-check-")
	if err != nil {
		p.Fatalf("making a temporary directory: %v", err)
	}
	p.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			p.Errorf("removing a temporary directory: %v", err)
		}
	})
	return dir
}

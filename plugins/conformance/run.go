package conformance

import (
	"context"
	"time"
)

// Limit is the maximum duration of a check.
const Limit = 3 * time.Minute

// Result is the outcome of a check. The check passed if Failures and Skipped are empty.
type Result struct {
	Check    Check
	Failures []string // in order
	Skipped  string   // why the check did not run to its end
	Logs     []string // other remarks
	Took     time.Duration
}

// Run runs checks outside of go test, one after the other, and reports each when it has
// ended. A check fails if it panics or does not end within Limit. Checks that are stopped
// or not started because ctx was cancelled are skipped. Run returns the number of failed
// checks.
func Run(ctx context.Context, checks []Check, report func(Result)) (failed int) {
	for _, c := range checks {
		r := run(ctx, c, Limit)
		if len(r.Failures) > 0 {
			failed++
		}
		report(r)
	}
	return failed
}

func run(ctx context.Context, c Check, limit time.Duration) Result {
	start := time.Now()
	if ctx.Err() != nil {
		return Result{Check: c, Skipped: interrupted}
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	p := newProbe(limited, c.ID)
	done := make(chan struct{})
	go func() { // ends with the check; one that hangs is abandoned
		defer close(done)
		p.run(c.Run)
	}()
	select {
	case <-done:
	case <-limited.Done():
		select {
		case <-done:
		case <-time.After(grace):
		}
		if ctx.Err() == nil {
			p.Errorf("the check did not end within %v", limit)
		}
	}
	r := p.result()
	r.Check, r.Took = c, time.Since(start)
	if ctx.Err() != nil { // failures are caused by the cancellation
		r.Failures, r.Skipped = nil, interrupted
	}
	return r
}

const interrupted = "interrupted"

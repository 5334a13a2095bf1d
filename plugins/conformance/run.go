package conformance

import (
	"context"
	"time"
)

// Limit is how long a check may take.
const Limit = 3 * time.Minute

// Result is what came of a check. It passed if there are no Failures, and
// Skipped is empty.
type Result struct {
	Check    Check
	Failures []string // what was found, in order
	Skipped  string   // why it was not run to its end
	Logs     []string // what else was noticed
	Took     time.Duration
}

// Run runs checks outside of go test, one after the other, and reports each when
// it has ended. A check that panics or does not end within Limit has failed; those
// that a cancelled ctx ends or keeps from starting are skipped. It returns how many failed.
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
	go func() { // ends with the check; one that hangs has to be left alone
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
	if ctx.Err() != nil { // what failed did so for that
		r.Failures, r.Skipped = nil, interrupted
	}
	return r
}

const interrupted = "interrupted"

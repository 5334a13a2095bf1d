package run

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/stage"
)

// beat is how often a run reports progress, even if nothing moves.
const beat = 250 * time.Millisecond

// grace is how long a run waits at its end for a slow reporter.
const grace = 2 * time.Second

// tracker counts progress and reports it to a Stream. It is safe for concurrent use.
type tracker struct {
	to    *progress.Stream
	own   bool       // the stream belongs to the run, which closes it
	order sync.Mutex // keeps reports in the order of their counts
	mu    sync.Mutex
	now   progress.Event // without time and kind
	steps []*step        // in progress, in the order they began
	stop  chan struct{}
	done  chan struct{}
}

// step is a long step of a target.
type step struct{ target, text string }

// startTracker starts reporting; end must be called. A Reporter that is not a Stream
// gets one for this run and is not closed. to may be nil.
func startTracker(to progress.Reporter, name string) *tracker {
	t := &tracker{stop: make(chan struct{}), done: make(chan struct{})}
	switch to := to.(type) {
	case nil:
		t.to, t.own = progress.NewStream(), true
	case *progress.Stream:
		t.to = to
	default:
		t.to, t.own = progress.NewStream(borrowed{to}), true
	}
	t.to.Report(progress.Event{Kind: progress.Begin, Text: name})
	go func() {
		defer close(t.done)
		ticker := time.NewTicker(beat)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				t.report(progress.Moving, nil, nil)
			case <-t.stop:
				return
			}
		}
	}()
	return t
}

// borrowed is a Reporter that its owner closes.
type borrowed struct{ progress.Reporter }

// Close does nothing.
func (borrowed) Close() error { return nil }

// end stops the progress reports.
func (t *tracker) end() {
	close(t.stop)
	<-t.done
	if t.own && t.to.Flush(grace) { // a stuck reporter keeps its goroutine
		_ = t.to.Close() // a reporter's panic is its owner's concern
	}
}

// lost reports a loss of a target, or of the source if by is nil.
func (t *tracker) lost(by *Target, l stage.Loss) {
	t.report(progress.Lost, nil, func(e *progress.Event) {
		e.Loss, e.Target = &l, ""
		if by != nil {
			e.Target = by.Name
		}
	})
}

// stepped returns a context with which a stage reports its long steps.
func (t *tracker) stepped(ctx context.Context, name string) context.Context {
	return stage.WithSteps(ctx, func(text string) func() {
		s := &step{name, text}
		about := func(e *progress.Event) { e.Step, e.Target = text, name }
		t.report(progress.StepOpen, func() { t.steps = append(t.steps, s) }, about)
		return sync.OnceFunc(func() {
			t.report(progress.StepDone, func() {
				t.steps = slices.DeleteFunc(t.steps, func(other *step) bool { return other == s })
			}, about)
		})
	})
}

// during reports a whole call of a stage as a step, which the stage may divide.
func (t *tracker) during(ctx context.Context, name, text string, call func(context.Context) error) error {
	ctx = t.stepped(ctx, name)
	defer stage.Step(ctx, text)()
	return call(ctx)
}

// report changes the counts with change, if not nil, and sends them as an event;
// about adds what is specific to this event.
func (t *tracker) report(kind progress.Kind, change func(), about func(*progress.Event)) {
	t.order.Lock()
	defer t.order.Unlock()
	t.mu.Lock()
	if change != nil {
		change()
	}
	e := t.now
	if len(t.steps) > 0 {
		last := t.steps[len(t.steps)-1] // the innermost: steps within a call begin later
		e.Step, e.Target = last.text, last.target
	}
	t.mu.Unlock()
	e.Kind = kind
	if about != nil {
		about(&e)
	}
	t.to.Report(e)
}

// phase begins a phase.
func (t *tracker) phase(name string) {
	t.report(progress.Phase, func() { t.now.Phase, t.now.Unit = name, "" }, nil)
}

// expect sets the estimated totals.
func (t *tracker) expect(bytes, units int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now.TotalBytes, t.now.TotalUnits = bytes, units
}

// add counts progress; negative if an entry is undone.
func (t *tracker) add(bytes, rows, files int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now.Bytes += bytes
	t.now.Rows += rows
	t.now.Files += files
}

func (t *tracker) began(unit string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now.Unit = unit
}

func (t *tracker) finished(unit string) {
	t.report(progress.Unit, func() {
		t.now.Units++
		t.now.Unit = unit
	}, nil)
}

func (t *tracker) counts() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Counts{Bytes: t.now.Bytes, Rows: t.now.Rows, Files: t.now.Files}
}

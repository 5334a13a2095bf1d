package run

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/stage"
)

// beat is how often a run tells how far it is, also while nothing moves.
const beat = 250 * time.Millisecond

// grace is how long the end of a run waits for a reporter that is behind.
const grace = 2 * time.Second

// tracker counts what passes and tells a Stream. Safe for concurrent use.
type tracker struct {
	to    *progress.Stream
	own   bool       // the stream is the run's own, and ends with it
	order sync.Mutex // so that reports come in the order of their counts
	mu    sync.Mutex
	now   progress.Event // without time and kind
	steps []*step        // that are under way, in the order of their beginnings
	stop  chan struct{}
	done  chan struct{}
}

// step is a long single step of a target.
type step struct{ target, text string }

// startTracker begins to report; end must be called. A Reporter that is no Stream
// gets one for this run, and is not closed; nil is none.
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

// Close leaves the reporter open.
func (borrowed) Close() error { return nil }

// end stops the reports of how far the run is.
func (t *tracker) end() {
	close(t.stop)
	<-t.done
	if t.own && t.to.Flush(grace) { // one that is stuck keeps its goroutine
		_ = t.to.Close() // a panic of a reporter is its owner's matter
	}
}

// lost reports a loss of a target, or of the source where by is nil.
func (t *tracker) lost(by *Target, l stage.Loss) {
	t.report(progress.Lost, nil, func(e *progress.Event) {
		e.Loss, e.Target = &l, ""
		if by != nil {
			e.Target = by.Name
		}
	})
}

// stepped returns a context by which a stage reports its long steps.
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

// report changes the counts, if change is not nil, and sends them as an event, to
// which about adds what belongs to this one alone.
func (t *tracker) report(kind progress.Kind, change func(), about func(*progress.Event)) {
	t.order.Lock()
	defer t.order.Unlock()
	t.mu.Lock()
	if change != nil {
		change()
	}
	e := t.now
	if len(t.steps) > 0 {
		last := t.steps[len(t.steps)-1] // the most precise: steps within a call begin after it
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

// expect sets the estimates of what will pass.
func (t *tracker) expect(bytes, units int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now.TotalBytes, t.now.TotalUnits = bytes, units
}

// add counts what passed; negative where an entry is taken back.
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

package run

import (
	"context"
	"fmt"
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
	log   *runLog
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
// gets one for this run and is not closed. to may be nil. The log gets each event at once.
func startTracker(to progress.Reporter, name string, log *runLog) *tracker {
	t := &tracker{log: log, stop: make(chan struct{}), done: make(chan struct{})}
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

// noted reports a note of a target, or of the source if by is nil.
func (t *tracker) noted(by *Target, n stage.Note) {
	t.report(progress.Noted, nil, func(e *progress.Event) {
		e.Note, e.Target = &n, ""
		if by != nil {
			e.Target = by.Name
		}
	})
}

// proven reports that a target was proven, with what it holds if it is a site.
func (t *tracker) proven(of *Target, tables []TableResult, files []FilesResult) {
	t.report(progress.Proven, nil, func(e *progress.Event) {
		e.Target, e.Step, e.Unit = of.Name, "", ""
		e.Rows, e.Files, e.Bytes = 0, 0, 0
		for _, table := range tables {
			e.Rows += table.Rows
		}
		for _, part := range files {
			e.Files, e.Bytes = e.Files+part.Files, e.Bytes+part.Bytes
		}
		switch {
		case of.dry:
			e.Text = "checked in a dry run"
		case of.keeps():
			e.Text = "the snapshot was read back"
		case len(tables) > 0 && len(files) > 0:
			e.Text = fmt.Sprintf("%d tables and all files are as they were sent", len(tables))
		case len(tables) > 0:
			e.Text = fmt.Sprintf("%d tables are as they were sent", len(tables))
		default:
			e.Text = "all files are as they were sent"
		}
	})
}

// stepped returns a context with which a stage reports its long steps.
func (t *tracker) stepped(ctx context.Context, name string) context.Context {
	return stage.WithSteps(ctx, func(text string) func() {
		end := t.open(name, text)
		return sync.OnceFunc(func() { end(nil) })
	})
}

// open reports the begin of a step. The function that it returns reports the end; it must
// be called once.
func (t *tracker) open(name, text string) (end func(error)) {
	s := &step{name, text}
	t.report(progress.StepOpen, func() { t.steps = append(t.steps, s) }, func(e *progress.Event) { e.Step, e.Target = text, name })
	return func(err error) {
		t.report(progress.StepDone, func() {
			t.steps = slices.DeleteFunc(t.steps, func(other *step) bool { return other == s })
		}, func(e *progress.Event) {
			if e.Step, e.Target = text, name; err != nil {
				e.Text = err.Error()
			}
		})
	}
}

// during reports a whole call of a stage as a step, which the stage may divide.
func (t *tracker) during(ctx context.Context, name, text string, call func(context.Context) error) (err error) {
	end := t.open(name, text)
	defer func() { end(err) }()
	return call(t.stepped(ctx, name))
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
	e.Time = time.Now()
	t.log.event(e)
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

package run

import (
	"sync"
	"time"

	"github.com/lmsvault/vault/core/progress"
)

// beat is how often a run tells how far it is, also while nothing moves.
const beat = 250 * time.Millisecond

// tracker counts what passes and tells a Reporter. Safe for concurrent use.
type tracker struct {
	to    progress.Reporter
	order sync.Mutex // so that reports come in the order of their counts
	mu    sync.Mutex
	now   progress.Event // without time and kind
	stop  chan struct{}
	done  chan struct{}
}

// startTracker begins to report; end must be called.
func startTracker(to progress.Reporter, name string) *tracker {
	t := &tracker{to: to, stop: make(chan struct{}), done: make(chan struct{})}
	to.Report(progress.Event{Time: time.Now(), Kind: progress.Begin, Text: name})
	go func() {
		defer close(t.done)
		ticker := time.NewTicker(beat)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				t.report(progress.Moving, nil)
			case <-t.stop:
				return
			}
		}
	}()
	return t
}

// end stops the reports of how far the run is.
func (t *tracker) end() {
	close(t.stop)
	<-t.done
}

func (t *tracker) report(kind progress.Kind, change func(*progress.Event)) {
	t.order.Lock()
	defer t.order.Unlock()
	t.mu.Lock()
	if change != nil {
		change(&t.now)
	}
	e := t.now
	t.mu.Unlock()
	e.Time, e.Kind = time.Now(), kind
	t.to.Report(e)
}

// phase begins a phase.
func (t *tracker) phase(name string) {
	t.report(progress.Phase, func(e *progress.Event) { e.Phase, e.Unit = name, "" })
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
	t.report(progress.Unit, func(e *progress.Event) {
		e.Units++
		e.Unit = unit
	})
}

func (t *tracker) counts() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Counts{Bytes: t.now.Bytes, Rows: t.now.Rows, Files: t.now.Files}
}

package host

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

// errStalled ends the context of a call that makes no progress.
var errStalled = errors.New("no progress")

// stall is how long the process may show no progress; 0 for ever.
func (p *process) stall() time.Duration { return cmp.Or(p.program.Stall, p.host.Stall) }

// long tells whether a call may take hours without a message: then the process
// has progress as long as it answers at all.
func long(call string) bool {
	switch call {
	case "Plugin.Open", "Source.Plan", "RecordTransform.Table":
		return true
	case "Sink.Unit", "Sink.Known":
		return false
	}
	return strings.HasPrefix(call, "Sink.")
}

// patience limits how long a call waits for the plugin at a time. One goroutine
// begins and ends its waits.
type patience struct {
	process *process
	ctx     context.Context
	cancel  context.CancelCauseFunc
	long    bool

	mu       sync.Mutex
	waiting  bool
	awaiting bool // it waits, and what it waits for is not yet the plugin's to do
	timer    *time.Timer
}

func (p *process) patience(ctx context.Context, call string, cancel context.CancelCauseFunc) *patience {
	return &patience{process: p, ctx: ctx, cancel: cancel, long: long(call)}
}

// after is how long it waits until expired is called. Asking whether a process
// lives takes the other half of its time.
func (w *patience) after() time.Duration {
	if w.long {
		return w.process.stall() / 2
	}
	return w.process.stall()
}

func (w *patience) begin() {
	if w.process.stall() <= 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.beginLocked()
}

func (w *patience) beginLocked() {
	w.waiting = true
	if w.timer == nil {
		w.timer = time.AfterFunc(w.after(), w.expired)
		return
	}
	w.timer.Reset(w.after())
}

func (w *patience) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting, w.awaiting = false, false
	if w.timer != nil {
		w.timer.Stop()
	}
}

// expect stands for begin where the wait for the plugin begins with expected.
func (w *patience) expect() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.awaiting = true
}

// expected is called by any goroutine when it is the plugin's turn.
func (w *patience) expected() {
	if w.process.stall() <= 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.awaiting {
		w.awaiting = false
		w.beginLocked()
	}
}

func (w *patience) expired() {
	alive := false
	if w.long {
		ctx, cancel := context.WithTimeout(w.ctx, w.after())
		defer cancel()
		alive = w.process.ping(ctx) == nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case !w.waiting:
	case alive:
		w.timer.Reset(w.after())
	default:
		w.cancel(errStalled)
	}
}

package host

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"
)

// ending is the most that a call may take which ends something: whoever stops
// vault doesn't wait for a plugin that hangs. Stages limit themselves to less.
const ending = time.Minute

// hurry is the most that any call may take once the host is asked to hurry.
const hurry = 20 * time.Second // Config.Ending tells of it

// stalled ends the context of a call that makes no progress.
type stalled struct{ limit time.Duration }

func (s *stalled) Error() string { return fmt.Sprintf("no progress for %v", s.limit) }

// limit is how long a call may wait for the plugin at a time; 0 for ever.
func (p *process) limit(call string) time.Duration {
	stall := cmp.Or(p.program.Stall, p.host.Stall)
	most := time.Duration(0)
	switch {
	case call == "Sink.Abort" || call == "Plugin.Close":
		most = ending
	case p.host.hurried():
		most = hurry
	}
	if most > 0 && (stall <= 0 || stall > most) {
		return most
	}
	return stall
}

// long tells whether a call may take hours without a message: then the process
// has progress as long as it answers at all.
func long(call string) bool {
	switch call {
	case "Plugin.Open", "Source.Plan", "Source.Count", "RecordTransform.Table", "Sink.Check", "Sink.Begin", "Sink.Finish", "Sink.Prove", "Sink.Publish":
		return true
	}
	return false
}

// longFirst is long for the time until a stream's first answer: a query may sort
// all rows before it gives one, and a target works on a unit when all of it is there.
func longFirst(call string) bool {
	return call == "Source.Read" || call == "Sink.Unit"
}

// wait is one wait of a call for the plugin. The timer of one that is over can't
// end the next.
type wait struct {
	process *process
	ctx     context.Context
	cancel  context.CancelCauseFunc
	limit   time.Duration
	long    bool

	mu    sync.Mutex
	over  bool
	timer *time.Timer // nil if it may last for ever
}

func (p *process) wait(ctx context.Context, cancel context.CancelCauseFunc, call string, long bool) *wait {
	w := &wait{process: p, ctx: ctx, cancel: cancel, limit: p.limit(call), long: long}
	if w.limit > 0 {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.timer = time.AfterFunc(w.after(), w.expired)
	}
	return w
}

// after is how long it waits until expired is called. Asking whether a process
// lives takes the other half of its time.
func (w *wait) after() time.Duration {
	if w.long {
		return w.limit / 2
	}
	return w.limit
}

func (w *wait) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	if w.timer != nil {
		w.timer.Stop()
	}
}

func (w *wait) expired() {
	alive := false
	if w.long {
		ctx, cancel := context.WithTimeout(w.ctx, w.after())
		defer cancel()
		alive = w.process.ping(ctx) == nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.over:
	case alive:
		w.timer.Reset(w.after())
	default:
		w.cancel(&stalled{w.limit})
	}
}

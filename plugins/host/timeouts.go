package host

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"
)

// ending is the maximum duration of a call that ends something, so that stopping vault does
// not wait for a hanging plugin. Stages have shorter limits of their own.
const ending = time.Minute

// hurry is the maximum duration of any call once Config.Ending is closed.
const hurry = 20 * time.Second // documented in Config.Ending

// stalled is the cause with which a call without progress is cancelled.
type stalled struct{ limit time.Duration }

func (s *stalled) Error() string { return fmt.Sprintf("no progress for %v", s.limit) }

// limit returns how long a call may wait for the plugin at a time; 0 means no limit.
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

// long reports whether a call may take hours without a message. The process then makes
// progress as long as it answers at all.
func long(call string) bool {
	switch call {
	case "Plugin.Open", "Source.Plan", "Source.Count", "RecordTransform.Table", "RecordTransform.Prepare", "RecordTransform.Added", "Sink.Check", "Sink.Begin", "Sink.Finish", "Sink.Prove", "Sink.Publish", "Sink.Expose", "Sink.Settle", "Sink.Published", "Sink.Exposed", "Sink.Complete", "Sink.Retract", "Action.Run":
		return true
	}
	return false
}

// longFirst reports whether a stream may take hours until its first message: a query may
// sort all rows first, and a target processes a unit once it is complete.
func longFirst(call string) bool {
	return call == "Source.Read" || call == "Sink.Unit"
}

// wait is one wait of a call for the plugin. Once it has ended, its timer has no effect on
// the next wait.
type wait struct {
	process *process
	ctx     context.Context
	cancel  context.CancelCauseFunc
	limit   time.Duration
	long    bool

	mu    sync.Mutex
	over  bool
	timer *time.Timer // nil without a limit
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

// after returns the time until expired is called. The check whether the process is alive
// takes the other half of the limit.
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

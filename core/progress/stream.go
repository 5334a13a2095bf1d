package progress

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// most is how many events wait for one reporter at most. What a reporter that is
// slower gets too late to matter, it does not get.
const most = 4096

// Stream numbers events and hands them to reporters, each in a goroutine of its own.
// Safe for concurrent use.
type Stream struct {
	run    string
	mu     sync.Mutex // so that numbers are in the order of the queues
	seq    int64
	queues []*queue
	closed bool
}

// NewStream makes a stream to these reporters, which it owns.
func NewStream(reporters ...Reporter) *Stream {
	s := &Stream{run: time.Now().UTC().Format("20060102-150405-") + strings.ToLower(rand.Text()[:8])}
	for _, r := range reporters {
		q := &queue{to: r, done: make(chan struct{})}
		q.changed = sync.NewCond(&q.mu)
		go q.deliver()
		s.queues = append(s.queues, q)
	}
	return s
}

// Run is the ID that all events of the stream bear: a time and a random text.
func (s *Stream) Run() string { return s.run }

// Report hands an event to all reporters. It never blocks. After Close it does nothing.
func (s *Stream) Report(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.seq++
	e.Run, e.Seq = s.run, s.seq
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	for _, q := range s.queues {
		q.add(e)
	}
}

// Flush waits until all reporters have shown what was reported before, for this
// long at most, and tells whether they have.
func (s *Stream) Flush(wait time.Duration) bool {
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		for _, q := range s.queues {
			q.flush()
		}
	}()
	select {
	case <-shown:
		return true
	case <-time.After(wait):
		return false
	}
}

// Close waits until all reporters have shown everything, closes them, and returns
// their errors. Only the first call does.
func (s *Stream) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	var errs []error
	for _, q := range s.queues {
		q.end()
		<-q.done
		errs = append(errs, q.err, q.to.Close())
	}
	return errors.Join(errs...)
}

// queue holds the events that a reporter has still to show.
type queue struct {
	to      Reporter
	mu      sync.Mutex
	changed *sync.Cond
	waiting []Event
	busy    bool // the reporter shows an event
	ending  bool
	done    chan struct{} // closed when deliver returns
	err     error         // of a reporter that panicked; it gets no more. Written by deliver
}

// add appends an event. Where the reporter is behind, a newer Moving stands for the
// one before it, and of a full queue only what is rare is kept.
func (q *queue) add(e Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	last := len(q.waiting) - 1
	switch e.Kind {
	case Moving:
		if last >= 0 && q.waiting[last].Kind == Moving {
			q.waiting[last] = e
			return
		}
		fallthrough
	case Unit, Lost, StepOpen, StepDone:
		if len(q.waiting) >= most {
			return
		}
	}
	q.waiting = append(q.waiting, e)
	q.changed.Broadcast()
}

// flush waits until nothing is waiting.
func (q *queue) flush() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) > 0 || q.busy {
		q.changed.Wait()
	}
}

func (q *queue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ending = true
	q.changed.Broadcast()
}

// deliver shows events until the queue has ended and is empty.
func (q *queue) deliver() {
	defer close(q.done)
	for {
		q.mu.Lock()
		q.busy = false
		q.changed.Broadcast()
		for len(q.waiting) == 0 && !q.ending {
			q.changed.Wait()
		}
		if len(q.waiting) == 0 {
			q.mu.Unlock()
			return
		}
		next := q.waiting
		q.waiting, q.busy = nil, true
		q.mu.Unlock()
		for _, e := range next {
			q.show(e)
		}
	}
}

// show has the reporter show an event. A panic there is an error of its own.
func (q *queue) show(e Event) {
	if q.err != nil {
		return
	}
	defer func() {
		if bad := recover(); bad != nil {
			q.err = fmt.Errorf("a reporter of progress panicked: %v", bad)
		}
	}()
	q.to.Report(e)
}

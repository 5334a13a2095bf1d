package progress

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// most is the maximum number of events waiting for one reporter. A slower reporter misses
// events.
const most = 4096

// Stream numbers events and passes them to reporters, each in its own goroutine. It is safe
// for concurrent use.
type Stream struct {
	run    string
	mu     sync.Mutex // keeps numbers in the order of the queues
	seq    int64
	queues []*queue
	closed bool
}

// NewStream returns a stream to the given reporters, which it owns.
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

// Run returns the ID shared by all events of the stream: a time and random characters.
func (s *Stream) Run() string { return s.run }

// Report passes an event to all reporters. It never blocks. After Close it does nothing.
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

// Flush waits at most the given time until all reporters have shown the events reported so
// far. It returns whether they have.
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

// Close waits until all reporters have shown everything, closes them and returns their
// errors. Further calls do nothing.
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

// queue holds the events that a reporter has not shown yet.
type queue struct {
	to      Reporter
	mu      sync.Mutex
	changed *sync.Cond
	waiting []Event
	busy    bool // the reporter is showing an event
	ending  bool
	done    chan struct{} // closed when deliver returns
	err     error         // set by deliver after the reporter panicked; it then gets no more events
}

// add appends an event. If the reporter is behind, a Moving event replaces a previous one,
// and a full queue accepts only rare events.
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
	case Unit, Lost, Noted, StepOpen, StepDone:
		if len(q.waiting) >= most {
			return
		}
	}
	q.waiting = append(q.waiting, e)
	q.changed.Broadcast()
}

// flush waits until the queue is empty.
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

// deliver passes events to the reporter until the queue is ended and empty.
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

// show passes an event to the reporter and turns a panic into an error.
func (q *queue) show(e Event) {
	if q.err != nil {
		return
	}
	defer func() {
		if bad := recover(); bad != nil {
			q.err = fmt.Errorf("progress reporter panicked: %v", bad)
		}
	}()
	q.to.Report(e)
}

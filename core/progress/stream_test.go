package progress_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/progress"
)

// kept records events.
type kept struct {
	progress.Silent
	mu     sync.Mutex
	events []progress.Event
}

func (k *kept) Report(e progress.Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.events = append(k.events, e)
}

// stuck blocks until free is closed.
type stuck struct {
	kept
	free chan struct{}
}

func (s *stuck) Report(e progress.Event) {
	<-s.free
	s.kept.Report(e)
}

// Close returns an error.
func (s *stuck) Close() error { return errors.New("was stuck") }

type panicking struct{ progress.Silent }

func (panicking) Report(progress.Event) { panic("no terminal") }

func TestEventsAreNumberedForAllReporters(t *testing.T) {
	a, b := &kept{}, &kept{}
	s := progress.NewStream(a, b)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i := range 200 {
				s.Report(progress.Event{Kind: progress.Unit, Unit: fmt.Sprint(i)})
			}
		})
	}
	group.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s.Report(progress.Event{Kind: progress.Done}) // after the end: ignored
	for _, k := range []*kept{a, b} {
		if len(k.events) != 800 {
			t.Fatalf("%d events", len(k.events))
		}
		for i, e := range k.events {
			if e.Seq != int64(i+1) || e.Run != s.Run() || e.Run == "" || e.Time.IsZero() {
				t.Fatalf("event %d is %+v", i, e)
			}
		}
	}
}

// A blocked reporter costs neither time nor memory, and the others get everything. When it
// continues, it gets the rare events.
func TestStuckReporterDoesNotBlockOthers(t *testing.T) {
	slow, good := &stuck{free: make(chan struct{})}, &kept{}
	s := progress.NewStream(slow, panicking{}, good)
	s.Report(progress.Event{Kind: progress.Begin})
	for range 100_000 {
		s.Report(progress.Event{Kind: progress.Moving})
	}
	for i := range 10_000 {
		if i%1000 == 0 && !flushed(good, s) {
			t.Fatal("the other reporter is blocked too")
		}
		s.Report(progress.Event{Kind: progress.Unit})
	}
	s.Report(progress.Event{Kind: progress.Done})
	if s.Flush(50 * time.Millisecond) {
		t.Error("Flush reports events of a blocked reporter as shown")
	}
	close(slow.free)
	err := s.Close()
	if err == nil || !strings.Contains(err.Error(), "was stuck") || !strings.Contains(err.Error(), "no terminal") {
		t.Errorf("Close returned %v", err)
	}
	units := 0
	for _, e := range good.events {
		if e.Kind == progress.Unit {
			units++
		}
	}
	if units != 10_000 {
		t.Errorf("the other reporter got %d units", units)
	}
	if n := len(slow.events); n > 4200 || slow.events[0].Kind != progress.Begin || slow.events[n-1].Kind != progress.Done {
		t.Errorf("%d events, from %s to %s", n, slow.events[0].Kind, slow.events[n-1].Kind)
	}
}

// flushed reports whether a reporter has received all events within ten seconds.
func flushed(k *kept, s *progress.Stream) bool {
	mark := fmt.Sprint(time.Now().UnixNano())
	s.Report(progress.Event{Kind: progress.Warning, Text: mark})
	for range 1000 {
		k.mu.Lock()
		got := len(k.events) > 0 && k.events[len(k.events)-1].Text == mark
		k.mu.Unlock()
		if got {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

// Names in a step come from sites and snapshots.
func TestStepCannotControlTerminal(t *testing.T) {
	var out strings.Builder
	r := progress.NewPlain(&out)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r.Report(progress.Event{Time: at, Kind: progress.Phase, Phase: "finish"})
	r.Report(progress.Event{Time: at.Add(10 * time.Second), Kind: progress.Moving, Target: "mysql", Step: "building 2 indexes of \x1b[2J\nlog"})
	if want := "finish\nfinish: mysql: building 2 indexes of ?[2J?log, 10s\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

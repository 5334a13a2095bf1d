package repository

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// shelf is a small storage that tells of every Put.
type shelf struct {
	mu      sync.Mutex
	objects map[string][]byte
	put     chan string
	broken  error
}

func newShelf() *shelf { return &shelf{objects: map[string][]byte{}, put: make(chan string, 100)} }

func (s *shelf) Put(_ context.Context, name string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	s.objects[name] = append([]byte(nil), data...)
	select {
	case s.put <- name:
	default:
	}
	return nil
}

func (s *shelf) Get(_ context.Context, dst []byte, name string, _, _ int64) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, ok := s.objects[name]
	if !ok {
		return dst, stage.ErrNotExist
	}
	return append(dst, data...), nil
}

func (s *shelf) List(_ context.Context, prefix string, fn func(stage.Object) error) error {
	s.mu.Lock()
	var names []string
	for name := range s.objects {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	s.mu.Unlock()
	for _, name := range names {
		if err := fn(stage.Object{Name: name}); err != nil {
			return err
		}
	}
	return nil
}

func (s *shelf) Delete(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, name)
	return nil
}

func (s *shelf) Stat(_ context.Context, name string) (stage.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.objects[name]; !ok {
		return stage.Object{}, stage.ErrNotExist
	}
	return stage.Object{Name: name}, nil
}

func (s *shelf) Close(context.Context) error { return nil }

const otherRun = "00000000000000000000000000000001"

func (s *shelf) lock(t *testing.T, l lockFile) {
	t.Helper()
	raw, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	s.objects[lockName(otherRun, l.Expires)] = raw
}

func release(t *testing.T, l *lock) {
	t.Helper()
	if err := l.release(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLiveWriterRefuses(t *testing.T) {
	until := time.Now().Add(3 * time.Minute)
	elsewhere := process{Host: "backup7", PID: 4711, Boot: "another boot", Space: "pid:[1]", Start: "1"}
	for name, l := range map[string]lockFile{
		"on another host": {process: elsewhere, Pipeline: "nightly", Expires: until},
		"in this process": {process: thisProcess(), Pipeline: "nightly", Expires: until},
	} {
		s := newShelf()
		s.lock(t, l)
		_, err := acquire(t.Context(), s, lockWrite, "p", time.Hour)
		if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), l.Host) || !strings.Contains(err.Error(), "nightly") ||
			!strings.Contains(err.Error(), until.UTC().Format("2006-01-02 15:04:05 UTC")) {
			t.Errorf("%s: %v", name, err)
		}
		if len(s.objects) != 1 {
			t.Errorf("%s: a lock was left beside the other's", name)
		}
	}
}

func TestDeadWriterIsTakenOver(t *testing.T) {
	child := exec.Command("true")
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
	gone, reused := thisProcess(), thisProcess()
	gone.PID = child.Process.Pid
	reused.PID, reused.Start = os.Getppid(), "1"
	later := time.Now().Add(time.Hour)
	for name, l := range map[string]lockFile{
		"process gone":    {process: gone, Expires: later},
		"PID used again":  {process: reused, Expires: later},
		"lease has ended": {process: process{Host: "elsewhere"}, Expires: time.Now().Add(-time.Second)},
	} {
		s := newShelf()
		s.lock(t, l)
		got, err := acquire(t.Context(), s, lockWrite, "p", time.Hour)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, there := s.objects[lockName(otherRun, l.Expires)]; there {
			t.Errorf("%s: the dead one's lock is left", name)
		}
		release(t, got)
		if len(s.objects) > 0 {
			t.Errorf("%s: locks are left", name)
		}
	}
}

// A lock that can't be read holds until its name says that it has expired.
func TestUnreadableLock(t *testing.T) {
	s := newShelf()
	until := time.Now().Add(time.Minute)
	s.objects[lockName(otherRun, until)] = []byte("{")
	if _, err := acquire(t.Context(), s, lockWrite, "p", time.Hour); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "expires at "+moment(until)) {
		t.Errorf("got %v", err)
	}
	delete(s.objects, lockName(otherRun, until))
	s.objects[lockName(otherRun, time.Now().Add(-time.Second))] = []byte("{")
	l, err := acquire(t.Context(), s, lockWrite, "p", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	release(t, l)
}

// appendOnly is a storage that refuses to delete and to replace.
type appendOnly struct{ *shelf }

var errAppendOnly = errors.New("access denied")

func (a appendOnly) Delete(context.Context, string) error { return errAppendOnly }

func (a appendOnly) Put(ctx context.Context, name string, data []byte) error {
	if _, err := a.Stat(ctx, name); err == nil {
		return errAppendOnly
	}
	return a.shelf.Put(ctx, name, data)
}

// Where nothing can be deleted or replaced, a lock is refreshed and given back
// all the same, and one that a killed writer left ends.
func TestAppendOnlyStorageIsNotLockedByItself(t *testing.T) {
	s := appendOnly{newShelf()}
	for range 3 {
		l, err := acquire(t.Context(), s, lockWrite, "p", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := l.renew(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if _, err := acquire(t.Context(), appendOnly{&shelf{objects: s.objects, put: s.put}}, lockWrite, "p", time.Hour); failure.Of(err) != failure.Refused {
			t.Errorf("a second writer got %v", err)
		}
		if err := l.held(t.Context()); err != nil {
			t.Error(err)
		}
		release(t, l)
	}
	s.lock(t, lockFile{process: process{Host: "elsewhere"}, Expires: time.Now().Add(-time.Second)})
	l, err := acquire(t.Context(), s, lockWrite, "p", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	l.file.Expires = time.Now().Add(-time.Second) // a machine that slept, whose lock nobody could delete
	if err := l.held(t.Context()); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("held: %v", err)
	}
	release(t, l)
}

// A lock that is refreshed while another looks at it still counts.
func TestRefreshHidesNoLock(t *testing.T) {
	s := newShelf()
	l, err := acquire(t.Context(), s, lockWrite, "p", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	defer release(t, l)
	for range 5 {
		before := l.name
		if err := l.renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Stat(t.Context(), before); err != nil {
			t.Errorf("the lock before is gone at once: %v", err)
		}
	}
	if len(s.objects) != 2 {
		t.Errorf("%d objects", len(s.objects))
	}
	renewing := movingShelf{s, l}
	if _, err := checkLocks(t.Context(), renewing, lockWrite, "", time.Now()); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "locked by") {
		t.Errorf("got %v", err)
	}
}

// movingShelf refreshes a lock twice after each list.
type movingShelf struct {
	*shelf
	lock *lock
}

func (m movingShelf) List(ctx context.Context, prefix string, fn func(stage.Object) error) error {
	err := m.shelf.List(ctx, prefix, fn)
	if m.lock.name < lockName(m.lock.run, time.Now().Add(lease+time.Second)) { // once
		m.lock.file.Expires = time.Now().Add(lease + 2*time.Second)
		return errors.Join(err, m.lock.renew(ctx), m.lock.renew(ctx))
	}
	return err
}

// A lock that ends years ahead is the work of a wrong clock, and says how to go on.
func TestLockOfAWrongClockSaysSo(t *testing.T) {
	s := newShelf()
	s.lock(t, lockFile{process: process{Host: "backup7", PID: 4711}, Expires: time.Now().AddDate(3, 0, 0)})
	_, err := acquire(t.Context(), s, lockWrite, "p", time.Hour)
	if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "is wrong; set it, and if that process is gone, delete locks/"+otherRun) {
		t.Errorf("the error is %v", err)
	}
}

func TestOneOfManyGetsTheLock(t *testing.T) {
	s := newShelf()
	got := make(chan *lock, 20)
	var asking sync.WaitGroup
	for range 20 {
		asking.Go(func() {
			if l, err := acquire(t.Context(), s, lockWrite, "p", time.Hour); err == nil {
				got <- l
			} else if failure.Of(err) != failure.Refused {
				t.Error(err)
			}
		})
	}
	asking.Wait()
	close(got)
	var holders []*lock
	for l := range got {
		holders = append(holders, l)
	}
	if len(holders) != 1 {
		t.Errorf("%d hold the lock, want 1", len(holders))
	}
	for _, l := range holders {
		release(t, l)
	}
}

func TestLockIsRefreshedAndLossIsSeen(t *testing.T) {
	s := newShelf()
	l, err := acquire(t.Context(), s, lockWrite, "p", time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	<-s.put // taking it
	<-s.put // refreshing it
	if err := l.held(t.Context()); err != nil {
		t.Error(err)
	}
	l.turn.Lock()
	err = s.Delete(t.Context(), l.name)
	l.turn.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	l.done.Wait() // the keeper sees that it is gone, and does not make it anew
	if err := l.held(t.Context()); err == nil || !strings.Contains(err.Error(), "run again") {
		t.Errorf("held: %v", err)
	}
	release(t, l)
}

// A writer that has lost its lock writes no more, long before it is finished.
func TestLostLockStopsTheWriter(t *testing.T) {
	s := newShelf()
	sink := NewSink(s, SinkConfig{Create: true})
	if err := sink.Begin(t.Context(), &stage.Plan{}); err != nil {
		t.Fatal(err)
	}
	store := func(data string) error {
		_, err := sink.chunks.store(t.Context(), contentBlob, []byte(data))
		return err
	}
	if err := store("while it is held"); err != nil {
		t.Error(err)
	}
	if err := s.Delete(t.Context(), sink.lock.name); err != nil {
		t.Fatal(err)
	}
	release(t, sink.lock)
	keeping := sink.lock
	keeping.every = time.Millisecond
	keeping.keep(t.Context()) // sees it at the next tick
	if err := store("afterwards"); err == nil || !strings.Contains(err.Error(), "lock was lost") {
		t.Errorf("stored: %v", err)
	}
	if err := errors.Join(sink.Abort(t.Context()), sink.Close(t.Context())); err != nil {
		t.Error(err)
	}
	for name := range s.objects {
		if strings.HasPrefix(name, packsDir) {
			t.Errorf("%s was put", name)
		}
	}
}

func TestFailingRefreshIsTriedAgain(t *testing.T) {
	s := newShelf()
	l, err := acquire(t.Context(), s, lockWrite, "p", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	s.broken = errors.New("storage is away")
	if err := l.renew(t.Context()); err != nil {
		t.Errorf("lost while the lease lasts: %v", err)
	}
	l.file.Expires = time.Now().Add(-time.Second)
	if err := l.renew(t.Context()); err == nil {
		t.Error("not lost when the lease has ended")
	}
	release(t, l)
}

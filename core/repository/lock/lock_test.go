package lock

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
	"github.com/lmsvault/vault/core/repository/storagetest"
	"github.com/lmsvault/vault/core/stage"
)

const otherRun = "00000000000000000000000000000001"

func lock(s *storagetest.Shelf, t *testing.T, l lockFile) {
	t.Helper()
	raw, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	s.Objects[lockName(otherRun, l.Expires)] = raw
}

func Release(t *testing.T, l *Lock) {
	t.Helper()
	if err := l.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLockOfLiveWriterRefuses(t *testing.T) {
	until := time.Now().Add(3 * time.Minute)
	elsewhere := process{Host: "backup7", PID: 4711, Boot: "another boot", Space: "pid:[1]", Start: "1"}
	for name, l := range map[string]lockFile{
		"on another host": {process: elsewhere, Pipeline: "nightly", Expires: until},
		"in this process": {process: thisProcess(), Pipeline: "nightly", Expires: until},
	} {
		s := storagetest.NewShelf()
		lock(s, t, l)
		_, err := Acquire(t.Context(), s, LockWrite, "p", time.Hour)
		if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), l.Host) || !strings.Contains(err.Error(), "nightly") ||
			!strings.Contains(err.Error(), until.UTC().Format("2006-01-02 15:04:05 UTC")) {
			t.Errorf("%s: %v", name, err)
		}
		if len(s.Objects) != 1 {
			t.Errorf("%s: a second lock remains", name)
		}
	}
}

func TestLockOfDeadWriterIsReplaced(t *testing.T) {
	child := exec.Command("true")
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
	gone, reused := thisProcess(), thisProcess()
	gone.PID = child.Process.Pid
	reused.PID, reused.Start = os.Getppid(), "1"
	later := time.Now().Add(time.Hour)
	for name, l := range map[string]lockFile{
		"process gone":  {process: gone, Expires: later},
		"PID reused":    {process: reused, Expires: later},
		"lease expired": {process: process{Host: "elsewhere"}, Expires: time.Now().Add(-time.Second)},
	} {
		s := storagetest.NewShelf()
		lock(s, t, l)
		got, err := Acquire(t.Context(), s, LockWrite, "p", time.Hour)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, there := s.Objects[lockName(otherRun, l.Expires)]; there {
			t.Errorf("%s: the lock of the dead writer remains", name)
		}
		Release(t, got)
		if len(s.Objects) > 0 {
			t.Errorf("%s: locks remain", name)
		}
	}
}

// An unreadable lock is respected until the expiry time in its name.
func TestUnreadableLock(t *testing.T) {
	s := storagetest.NewShelf()
	until := time.Now().Add(time.Minute)
	s.Objects[lockName(otherRun, until)] = []byte("{")
	if _, err := Acquire(t.Context(), s, LockWrite, "p", time.Hour); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "expires at "+moment(until)) {
		t.Errorf("got %v", err)
	}
	delete(s.Objects, lockName(otherRun, until))
	s.Objects[lockName(otherRun, time.Now().Add(-time.Second))] = []byte("{")
	l, err := Acquire(t.Context(), s, LockWrite, "p", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	Release(t, l)
}

// appendOnly is a storage that refuses to delete and replace objects.
type appendOnly struct{ *storagetest.Shelf }

var errAppendOnly = errors.New("access denied")

func (a appendOnly) Delete(context.Context, string) error { return errAppendOnly }

func (a appendOnly) Put(ctx context.Context, name string, data []byte) error {
	if _, err := a.Stat(ctx, name); err == nil {
		return errAppendOnly
	}
	return a.Shelf.Put(ctx, name, data)
}

// In append-only storage a lock can be refreshed and released, and the lock of a killed writer
// expires.
func TestLockInAppendOnlyStorage(t *testing.T) {
	s := appendOnly{storagetest.NewShelf()}
	for range 3 {
		l, err := Acquire(t.Context(), s, LockWrite, "p", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := l.renew(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if _, err := Acquire(t.Context(), appendOnly{&storagetest.Shelf{Objects: s.Objects, Puts: s.Puts}}, LockWrite, "p", time.Hour); failure.Of(err) != failure.Refused {
			t.Errorf("second writer: %v", err)
		}
		if err := l.Held(t.Context()); err != nil {
			t.Error(err)
		}
		Release(t, l)
	}
	lock(s.Shelf, t, lockFile{process: process{Host: "elsewhere"}, Expires: time.Now().Add(-time.Second)})
	l, err := Acquire(t.Context(), s, LockWrite, "p", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	l.File.Expires = time.Now().Add(-time.Second) // as after a suspend of the machine
	if err := l.Held(t.Context()); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("held: %v", err)
	}
	Release(t, l)
}

// A lock that is refreshed while another process lists locks is still respected.
func TestLockIsSeenDuringRefresh(t *testing.T) {
	s := storagetest.NewShelf()
	l, err := Acquire(t.Context(), s, LockWrite, "p", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	defer Release(t, l)
	for range 5 {
		before := l.Name
		if err := l.renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Stat(t.Context(), before); err != nil {
			t.Errorf("the previous lock object was deleted too early: %v", err)
		}
	}
	if len(s.Objects) != 2 {
		t.Errorf("%d objects", len(s.Objects))
	}
	renewing := movingShelf{s, l}
	if _, err := CheckLocks(t.Context(), renewing, LockWrite, "", time.Now()); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "locked by") {
		t.Errorf("got %v", err)
	}
}

// movingShelf refreshes a lock twice after each list.
type movingShelf struct {
	*storagetest.Shelf
	lock *Lock
}

func (m movingShelf) List(ctx context.Context, prefix string, fn func(stage.Object) error) error {
	err := m.Shelf.List(ctx, prefix, fn)
	if m.lock.Name < lockName(m.lock.run, time.Now().Add(Lease+time.Second)) { // once
		m.lock.File.Expires = time.Now().Add(Lease + 2*time.Second)
		return errors.Join(err, m.lock.renew(ctx), m.lock.renew(ctx))
	}
	return err
}

// A lock that expires years from now comes from a wrong clock. The error says what to do.
func TestLockFarInFuture(t *testing.T) {
	s := storagetest.NewShelf()
	lock(s, t, lockFile{process: process{Host: "backup7", PID: 4711}, Expires: time.Now().AddDate(3, 0, 0)})
	_, err := Acquire(t.Context(), s, LockWrite, "p", time.Hour)
	if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "is wrong; set it, and if that process is gone, delete locks/"+otherRun) {
		t.Errorf("got %v", err)
	}
}

func TestConcurrentAcquire(t *testing.T) {
	s := storagetest.NewShelf()
	got := make(chan *Lock, 20)
	var asking sync.WaitGroup
	for range 20 {
		asking.Go(func() {
			if l, err := Acquire(t.Context(), s, LockWrite, "p", time.Hour); err == nil {
				got <- l
			} else if failure.Of(err) != failure.Refused {
				t.Error(err)
			}
		})
	}
	asking.Wait()
	close(got)
	var holders []*Lock
	for l := range got {
		holders = append(holders, l)
	}
	if len(holders) != 1 {
		t.Errorf("%d hold the lock, want 1", len(holders))
	}
	for _, l := range holders {
		Release(t, l)
	}
}

func TestLockIsRefreshedAndLossDetected(t *testing.T) {
	s := storagetest.NewShelf()
	l, err := Acquire(t.Context(), s, LockWrite, "p", time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	<-s.Puts // acquire
	<-s.Puts // refresh
	if err := l.Held(t.Context()); err != nil {
		t.Error(err)
	}
	l.Turn.Lock()
	err = s.Delete(t.Context(), l.Name)
	l.Turn.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	l.done.Wait() // the keeper detects the loss and does not create the lock again
	if err := l.Held(t.Context()); err == nil || !strings.Contains(err.Error(), "run again") {
		t.Errorf("held: %v", err)
	}
	Release(t, l)
}

func TestFailedRefreshIsRetried(t *testing.T) {
	s := storagetest.NewShelf()
	l, err := Acquire(t.Context(), s, LockWrite, "p", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	s.Broken = errors.New("storage is away")
	if err := l.renew(t.Context()); err != nil {
		t.Errorf("lost before the lease has expired: %v", err)
	}
	l.File.Expires = time.Now().Add(-time.Second)
	if err := l.renew(t.Context()); err == nil {
		t.Error("not lost after the lease has expired")
	}
	Release(t, l)
}

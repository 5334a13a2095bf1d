package lock

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository/storagetest"
)

// Readers share; one writer works beside them; prune is alone.
func TestLocksExcludeByMode(t *testing.T) {
	for _, c := range []struct {
		held, asked lockMode
		refused     bool
	}{
		{lockRead, lockRead, false}, {lockRead, LockWrite, false}, {LockWrite, lockRead, false}, {LockWrite, LockWrite, true},
		{lockRead, LockExclusive, true}, {LockWrite, LockExclusive, true}, {LockExclusive, LockExclusive, true},
		{LockExclusive, lockRead, true}, {LockExclusive, LockWrite, true}, {"of a later vault", lockRead, true},
	} {
		s := storagetest.NewShelf()
		held, err := Acquire(t.Context(), s, c.held, "p", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		asked, err := Acquire(t.Context(), s, c.asked, "p", time.Hour)
		if got := failure.Of(err) == failure.Refused; got != c.refused || err != nil && !c.refused {
			t.Errorf("%s beside %s: %v", c.asked, c.held, err)
		}
		if err := held.Held(t.Context()); err != nil {
			t.Errorf("%s was lost to %s: %v", c.held, c.asked, err)
		}
		if err := asked.Release(t.Context()); err != nil {
			t.Error(err)
		}
		Release(t, held)
		if len(s.Objects) > 0 {
			t.Errorf("%s beside %s: left are %v", c.asked, c.held, slices.Collect(maps.Keys(s.Objects)))
		}
	}
}

// A reader works where it can write nothing, but not beside a prune.
func TestReaderNeedsNoRightToWrite(t *testing.T) {
	s := storagetest.NewShelf()
	s.Broken = errors.New("read-only file system")
	if l, err := AcquireShared(t.Context(), s); l != nil || err != nil {
		t.Errorf("got %v, %v", l, err)
	}
	lock(s, t, lockFile{process: process{Host: "elsewhere", PID: 7}, Mode: LockExclusive, Expires: time.Now().Add(time.Minute)})
	if _, err := AcquireShared(t.Context(), s); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "process 7 on elsewhere (pruning)") {
		t.Errorf("beside a prune: %v", err)
	}
}

// A lock that has just expired may be of a writer whose clock differs: nothing is removed yet.
func TestExclusiveLockWaitsLongerThanTheLease(t *testing.T) {
	s := storagetest.NewShelf()
	just := time.Now().Add(-time.Minute)
	lock(s, t, lockFile{process: process{Host: "elsewhere"}, Mode: LockWrite, Expires: just})
	if _, err := Acquire(t.Context(), s, LockExclusive, "", time.Hour); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), moment(just.Add(grace))) {
		t.Errorf("got %v", err)
	}
	clear(s.Objects)
	lock(s, t, lockFile{process: process{Host: "elsewhere"}, Mode: LockWrite, Expires: time.Now().Add(-grace - time.Minute)})
	l, err := Acquire(t.Context(), s, LockExclusive, "", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	Release(t, l)
}

// Where nothing can be deleted, readers and writers go on as before, and nobody
// gets the lock to remove things once a dead lock is there.
func TestAppendOnlyStorageSharesLocks(t *testing.T) {
	s := appendOnly{storagetest.NewShelf()}
	for range 2 {
		reader, err := AcquireShared(t.Context(), s)
		if err != nil || reader == nil {
			t.Fatal(reader, err)
		}
		writer, err := Acquire(t.Context(), s, LockWrite, "p", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		Release(t, reader)
		Release(t, writer)
	}
	if _, err := Acquire(t.Context(), s, LockExclusive, "", time.Hour); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "can't be deleted") {
		t.Errorf("got %v", err)
	}
	if l, err := AcquireShared(context.WithoutCancel(t.Context()), s); err != nil {
		t.Errorf("the lock that was refused is left: %v", err)
	} else {
		Release(t, l)
	}
}

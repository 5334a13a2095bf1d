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

// Several readers and one writer may hold locks at the same time. An exclusive lock excludes
// all others.
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
			t.Errorf("%s while %s is held: %v", c.asked, c.held, err)
		}
		if err := held.Held(t.Context()); err != nil {
			t.Errorf("%s was lost when %s was requested: %v", c.held, c.asked, err)
		}
		if err := asked.Release(t.Context()); err != nil {
			t.Error(err)
		}
		Release(t, held)
		if len(s.Objects) > 0 {
			t.Errorf("%s while %s is held: remaining objects %v", c.asked, c.held, slices.Collect(maps.Keys(s.Objects)))
		}
	}
}

// A reader needs no write access, but is refused during a prune.
func TestReaderOfReadOnlyStorage(t *testing.T) {
	s := storagetest.NewShelf()
	s.Broken = errors.New("read-only file system")
	if l, err := AcquireShared(t.Context(), s); l != nil || err != nil {
		t.Errorf("got %v, %v", l, err)
	}
	lock(s, t, lockFile{process: process{Host: "elsewhere", PID: 7}, Mode: LockExclusive, Expires: time.Now().Add(time.Minute)})
	if _, err := AcquireShared(t.Context(), s); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "process 7 on elsewhere (pruning)") {
		t.Errorf("during a prune: %v", err)
	}
}

// A lock that has just expired may belong to a live writer whose clock differs, so an
// exclusive lock is refused for some time.
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

// In append-only storage readers and writers get their locks. An exclusive lock is refused as
// long as there is a dead lock.
func TestSharedLocksInAppendOnlyStorage(t *testing.T) {
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
		t.Errorf("the refused lock remains: %v", err)
	} else {
		Release(t, l)
	}
}

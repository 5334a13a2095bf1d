package repository

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/failure"
)

// Readers share; one writer works beside them; prune is alone.
func TestLocksExcludeByMode(t *testing.T) {
	for _, c := range []struct {
		held, asked lockMode
		refused     bool
	}{
		{lockRead, lockRead, false}, {lockRead, lockWrite, false}, {lockWrite, lockRead, false}, {lockWrite, lockWrite, true},
		{lockRead, lockExclusive, true}, {lockWrite, lockExclusive, true}, {lockExclusive, lockExclusive, true},
		{lockExclusive, lockRead, true}, {lockExclusive, lockWrite, true}, {"of a later vault", lockRead, true},
	} {
		s := newShelf()
		held, err := acquire(t.Context(), s, c.held, "p", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		asked, err := acquire(t.Context(), s, c.asked, "p", time.Hour)
		if got := failure.Of(err) == failure.Refused; got != c.refused || err != nil && !c.refused {
			t.Errorf("%s beside %s: %v", c.asked, c.held, err)
		}
		if err := held.held(t.Context()); err != nil {
			t.Errorf("%s was lost to %s: %v", c.held, c.asked, err)
		}
		if err := asked.release(t.Context()); err != nil {
			t.Error(err)
		}
		release(t, held)
		if len(s.objects) > 0 {
			t.Errorf("%s beside %s: left are %v", c.asked, c.held, slices.Collect(maps.Keys(s.objects)))
		}
	}
}

// A reader works where it can write nothing, but not beside a prune.
func TestReaderNeedsNoRightToWrite(t *testing.T) {
	s := newShelf()
	s.broken = errors.New("read-only file system")
	if l, err := acquireShared(t.Context(), s); l != nil || err != nil {
		t.Errorf("got %v, %v", l, err)
	}
	s.lock(t, lockFile{process: process{Host: "elsewhere", PID: 7}, Mode: lockExclusive, Expires: time.Now().Add(time.Minute)})
	if _, err := acquireShared(t.Context(), s); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "process 7 on elsewhere (pruning)") {
		t.Errorf("beside a prune: %v", err)
	}
}

// A lock that has just expired may be of a writer whose clock differs: nothing is removed yet.
func TestExclusiveLockWaitsLongerThanTheLease(t *testing.T) {
	s := newShelf()
	just := time.Now().Add(-time.Minute)
	s.lock(t, lockFile{process: process{Host: "elsewhere"}, Mode: lockWrite, Expires: just})
	if _, err := acquire(t.Context(), s, lockExclusive, "", time.Hour); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), moment(just.Add(grace))) {
		t.Errorf("got %v", err)
	}
	clear(s.objects)
	s.lock(t, lockFile{process: process{Host: "elsewhere"}, Mode: lockWrite, Expires: time.Now().Add(-grace - time.Minute)})
	l, err := acquire(t.Context(), s, lockExclusive, "", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	release(t, l)
}

// Where nothing can be deleted, readers and writers go on as before, and nobody
// gets the lock to remove things once a dead lock is there.
func TestAppendOnlyStorageSharesLocks(t *testing.T) {
	s := appendOnly{newShelf()}
	for range 2 {
		reader, err := acquireShared(t.Context(), s)
		if err != nil || reader == nil {
			t.Fatal(reader, err)
		}
		writer, err := acquire(t.Context(), s, lockWrite, "p", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		release(t, reader)
		release(t, writer)
	}
	if _, err := acquire(t.Context(), s, lockExclusive, "", time.Hour); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "can't be deleted") {
		t.Errorf("got %v", err)
	}
	if l, err := acquireShared(context.WithoutCancel(t.Context()), s); err != nil {
		t.Errorf("the lock that was refused is left: %v", err)
	} else {
		release(t, l)
	}
}

package lock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

// lockMode says what a lock is taken for. Modes that don't exclude each other may
// be held at once.
type lockMode string

const (
	lockRead      lockMode = "read"      // restore, verify, copy: nothing may be removed
	LockWrite     lockMode = "write"     // a backup, a removal of snapshots: one at a time
	LockExclusive lockMode = "exclusive" // prune: nobody else
)

// excludes tells whether a lock of mode m and one of mode other can't be held at
// once. A mode that is not known excludes all.
func (m lockMode) excludes(other lockMode) bool {
	return m != lockRead && other != lockRead || m != lockRead && m != LockWrite || other != lockRead && other != LockWrite
}

// lockFile is the content of a lock. It is readable without a key, for a writer
// may have none.
type lockFile struct {
	process
	Mode     lockMode  `json:"mode"`
	Pipeline string    `json:"pipeline,omitempty"`
	Turns    bool      `json:"turns,omitempty"` // it is held only once there is a turn of it, see turn.go
	Since    time.Time `json:"since"`
	Expires  time.Time `json:"expires"`
}

// A lock is the objects locks/RUN-EXPIRES, of which the one that expires last
// counts (milliseconds since 1970), until there is locks/RUN-released.
func lockName(run string, expires time.Time) string {
	return fmt.Sprintf("%s%s-%013d", object.LocksDir, run, expires.UnixMilli())
}

func releasedName(run string) string { return object.LocksDir + run + "-released" }

// ParseLockName returns the run that an object's name is of, and when it
// expires; zero for one that says that the lock was released.
func ParseLockName(name string) (run string, expires time.Time, ok bool) {
	run, end, ok := strings.Cut(strings.TrimPrefix(name, object.LocksDir), "-")
	if !ok || !object.IsName(run) {
		return "", time.Time{}, false
	}
	if end == "released" {
		return run, time.Time{}, true
	}
	ms, err := strconv.ParseInt(end, 10, 64)
	if err != nil || ms <= 0 {
		return "", time.Time{}, false
	}
	expires = time.UnixMilli(ms)
	return run, expires, name == lockName(run, expires)
}

// found is what the names of a run's objects say.
type found struct {
	names    []string
	expires  time.Time
	released bool
}

// CheckLocks returns an error of class failure.Refused if a living process holds
// a lock that excludes mode. Locks of the run own are not looked at. The objects of the dead are
// returned. Only locks that have not expired are read.
func CheckLocks(ctx context.Context, s stage.Storage, mode lockMode, own string, now time.Time) (dead []string, err error) {
	for range 3 { // a lock that is given back or refreshed while we look is looked at again
		if dead, err = lookAtLocks(ctx, s, mode, own, now); !errors.Is(err, errMoved) {
			return dead, err
		}
	}
	return nil, failure.Wrap(failure.Refused, err)
}

var errMoved = errors.New("locks come and go: other processes work in this repository; try again")

func lookAtLocks(ctx context.Context, s stage.Storage, mode lockMode, own string, now time.Time) (dead []string, err error) {
	runs, err := listLocks(ctx, s, own)
	if err != nil {
		return nil, fmt.Errorf("listing locks: %w", err)
	}
	var met *conflictError
	for run, f := range runs {
		ends := f.expires
		if mode == LockExclusive { // clocks differ, and what is removed does not come back
			ends = ends.Add(grace)
		}
		if !f.released && !now.After(ends) {
			alive, err := dismiss(ctx, s, mode, lockName(run, f.expires), ends, now)
			var c *conflictError
			if errors.As(err, &c) {
				if met == nil {
					met = &conflictError{error: c.error, asking: true}
				}
				met.runs = append(met.runs, run)
				met.asking = met.asking && c.asking
			} else if err != nil {
				return nil, err
			}
			if alive {
				continue
			}
		}
		dead = append(dead, f.names...)
	}
	if met != nil {
		return nil, met
	}
	slices.Sort(dead) // of a run the oldest first: if deleting ends early, none counts that did not before
	return dead, nil
}

// listLocks returns the locks of all runs but own.
func listLocks(ctx context.Context, s stage.Storage, own string) (map[string]*found, error) {
	runs := map[string]*found{}
	err := s.List(ctx, object.LocksDir, func(o stage.Object) error {
		run, expires, ok := ParseLockName(o.Name)
		if !ok || run == own {
			return nil
		}
		f := runs[run]
		if f == nil {
			f = &found{}
			runs[run] = f
		}
		f.names = append(f.names, o.Name)
		f.released = f.released || expires.IsZero()
		if expires.After(f.expires) {
			f.expires = expires
		}
		return nil
	})
	return runs, err
}

// dismiss returns a conflictError if the process of a lock may be alive, and the lock
// excludes mode. alive is called for one that doesn't.
func dismiss(ctx context.Context, s stage.Storage, mode lockMode, name string, expires, now time.Time) (alive bool, err error) {
	var l lockFile
	raw, err := s.Get(ctx, nil, name, 0, -1)
	switch {
	case errors.Is(err, stage.ErrNotExist):
		return false, errMoved
	case err != nil && !errors.Is(err, stage.ErrCorrupt):
		return false, fmt.Errorf("reading lock %s: %w", name, err)
	case err != nil || json.Unmarshal(raw, &l) != nil:
		l = lockFile{} // it ends all the same
	}
	if l.PID != 0 && l.gone(thisProcess()) {
		return false, nil
	}
	if !mode.excludes(l.Mode) {
		return true, nil
	}
	l.Expires = expires
	return true, &conflictError{error: l.refusal(name, now), asking: l.Turns && (l.Mode == LockWrite || l.Mode == LockExclusive)}
}

// refusal says who holds the lock, and until when.
func (l *lockFile) refusal(name string, now time.Time) error {
	if l.Expires.After(now.Add(2 * Lease)) { // nobody takes a lock for so long
		return failure.New(failure.Refused, "locked by %s since %s; the lock expires only at %s, so the clock there or here (now %s) is wrong; set it, and if that process is gone, delete %s",
			l.who(), moment(l.Since), moment(l.Expires), moment(now), name)
	}
	return failure.New(failure.Refused, "locked by %s since %s; if that process is gone, the lock expires at %s", l.who(), moment(l.Since), moment(l.Expires))
}

// moment is how a point in time is printed: two machines may have two zones.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// who names the process; only a lock that can be read does.
func (l *lockFile) who() string {
	who := fmt.Sprintf("process %d on %s", l.PID, l.Host)
	if l.PID == 0 {
		who = "a process that its lock does not name"
	}
	switch {
	case l.Mode == lockRead:
		who += " (reading)"
	case l.Mode == LockExclusive:
		who += " (pruning)"
	case l.Pipeline != "":
		who += " (pipeline " + l.Pipeline + ")"
	}
	return who
}

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

// lockMode is the purpose of a lock. Locks whose modes don't exclude each other can be
// held at the same time.
type lockMode string

const (
	lockRead      lockMode = "read"      // restore, verify, copy: no chunk may be removed
	LockWrite     lockMode = "write"     // a backup, a removal of snapshots: one at a time
	LockExclusive lockMode = "exclusive" // prune: no other lock
)

// excludes reports whether locks of the modes m and other conflict. An unknown mode
// conflicts with all.
func (m lockMode) excludes(other lockMode) bool {
	return m != lockRead && other != lockRead || m != lockRead && m != LockWrite || other != lockRead && other != LockWrite
}

// lockFile is the content of a lock. It is not sealed, because a writer may have no key
// to read it with.
type lockFile struct {
	process
	Mode     lockMode  `json:"mode"`
	Pipeline string    `json:"pipeline,omitempty"`
	Turns    bool      `json:"turns,omitempty"` // held only once it has a turn, see turn.go
	Since    time.Time `json:"since"`
	Expires  time.Time `json:"expires"`
}

// lockName returns the name locks/RUN-EXPIRES, with EXPIRES in milliseconds since 1970.
// Of a run's objects the one that expires last counts, until locks/RUN-released exists.
func lockName(run string, expires time.Time) string {
	return fmt.Sprintf("%s%s-%013d", object.LocksDir, run, expires.UnixMilli())
}

func releasedName(run string) string { return object.LocksDir + run + "-released" }

// ParseLockName returns the run and the expiry in the name of a lock object. The expiry
// is zero if the object marks the lock as released.
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

// found summarizes the lock objects of a run.
type found struct {
	names    []string
	expires  time.Time
	released bool
}

// CheckLocks returns an error of class failure.Refused if a live process holds a lock
// that conflicts with mode. It ignores locks of the run own, reads only locks that have
// not expired, and returns the objects of dead processes.
func CheckLocks(ctx context.Context, s stage.Storage, mode lockMode, own string, now time.Time) (dead []string, err error) {
	for range 3 { // locks may be released or refreshed meanwhile: check again
		if dead, err = lookAtLocks(ctx, s, mode, own, now); !errors.Is(err, errMoved) {
			return dead, err
		}
	}
	return nil, failure.Wrap(failure.Refused, err)
}

var errMoved = errors.New("locks keep changing, because other processes use this repository; try again")

func lookAtLocks(ctx context.Context, s stage.Storage, mode lockMode, own string, now time.Time) (dead []string, err error) {
	runs, err := listLocks(ctx, s, own)
	if err != nil {
		return nil, fmt.Errorf("listing locks: %w", err)
	}
	var met *conflictError
	for run, f := range runs {
		ends := f.expires
		if mode == LockExclusive { // clocks differ, and removing objects is final
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
	slices.Sort(dead) // oldest first within a run: an interrupted deletion must not revive an older object
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

// dismiss returns a conflictError if the lock's process may be alive and the lock
// conflicts with mode. alive is true if the process may be alive but there is no conflict.
func dismiss(ctx context.Context, s stage.Storage, mode lockMode, name string, expires, now time.Time) (alive bool, err error) {
	var l lockFile
	raw, err := s.Get(ctx, nil, name, 0, -1)
	switch {
	case errors.Is(err, stage.ErrNotExist):
		return false, errMoved
	case err != nil && !errors.Is(err, stage.ErrCorrupt):
		return false, fmt.Errorf("reading lock %s: %w", name, err)
	case err != nil || json.Unmarshal(raw, &l) != nil:
		l = lockFile{} // it expires all the same
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

// refusal returns the error that names the holder of the lock and its expiry.
func (l *lockFile) refusal(name string, now time.Time) error {
	if l.Expires.After(now.Add(2 * Lease)) { // no lock is valid for so long
		return failure.New(failure.Refused, "locked by %s since %s; the lock expires only at %s, so the clock there or here (now %s) is wrong; set it, and if that process is gone, delete %s",
			l.who(), moment(l.Since), moment(l.Expires), moment(now), name)
	}
	return failure.New(failure.Refused, "locked by %s since %s; if that process is gone, the lock expires at %s", l.who(), moment(l.Since), moment(l.Expires))
}

// moment formats a time in UTC, because machines may have different time zones.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// who describes the process that holds the lock.
func (l *lockFile) who() string {
	who := fmt.Sprintf("process %d on %s", l.PID, l.Host)
	if l.PID == 0 {
		who = "an unknown process"
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

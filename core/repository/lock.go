package repository

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// A lock that is not refreshed for lease is no lock any more; it is refreshed
// often enough that a slow storage may fail a few times.
const (
	lease   = 5 * time.Minute
	refresh = time.Minute
)

// lockFile is the object locks/NAME. It is readable without a key, for a writer
// may have none.
type lockFile struct {
	process
	Pipeline string    `json:"pipeline,omitempty"`
	Since    time.Time `json:"since"`
	Expires  time.Time `json:"expires"`
}

// lock is a lock that is held. Its goroutine ends with release.
type lock struct {
	storage stage.Storage
	name    string
	file    lockFile
	every   time.Duration

	cancel context.CancelFunc
	done   sync.WaitGroup

	mu     sync.Mutex
	lost   error
	onLoss func(error) // told once, by the goroutine
}

// checkLocks returns an error of class failure.Refused if a living writer holds
// a lock. own is not looked at. Locks of the dead are returned.
func checkLocks(ctx context.Context, s stage.Storage, own string, now time.Time) (dead []string, err error) {
	names, err := listNames(ctx, s, locksDir)
	if err != nil {
		return nil, fmt.Errorf("listing locks: %w", err)
	}
	here := thisProcess()
	for _, name := range names {
		name = locksDir + name
		if name == own {
			continue
		}
		raw, err := s.Get(ctx, nil, name, 0, -1)
		if errors.Is(err, stage.ErrNotExist) {
			continue // given back meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("reading lock %s: %w", name, err)
		}
		var l lockFile
		if err := json.Unmarshal(raw, &l); err != nil {
			return nil, failure.New(failure.Refused, "lock %s can't be read (%w): if no backup into this repository is running anywhere, delete it", name, err)
		}
		if now.After(l.Expires) || l.gone(here) {
			dead = append(dead, name)
			continue
		}
		return nil, l.refusal(name, now)
	}
	return dead, nil
}

// refusal says who holds the lock, and until when.
func (l *lockFile) refusal(name string, now time.Time) error {
	if l.Expires.After(now.Add(2 * lease)) { // nobody takes a lock for so long
		return failure.New(failure.Refused, "locked by %s since %s; the lock expires only at %s, so the clock there or here (now %s) is wrong; set it, and if that process is gone, delete %s",
			l.who(), moment(l.Since), moment(l.Expires), moment(now), name)
	}
	return failure.New(failure.Refused, "locked by %s since %s; if that process is gone, the lock expires at %s", l.who(), moment(l.Since), moment(l.Expires))
}

// moment is how a point in time is printed: two machines may have two zones.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func (l *lockFile) who() string {
	who := fmt.Sprintf("process %d on %s", l.PID, l.Host)
	if l.Pipeline != "" {
		who += " (pipeline " + l.Pipeline + ")"
	}
	return who
}

// Writers that ask at the same moment see each other, and all step back. They
// ask again after random pauses, of which the shortest wins.
const (
	attempts = 6
	pause    = 500 * time.Millisecond
)

// acquire takes the lock, or returns an error of class failure.Refused. Of those
// that ask at once at most one gets it.
func acquire(ctx context.Context, s stage.Storage, pipeline string, every time.Duration) (*lock, error) {
	for attempt := 1; ; attempt++ {
		l, met, err := ask(ctx, s, pipeline, every)
		if !met || attempt == attempts {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		case <-time.After(rand.N(pause)):
		}
	}
}

// ask tries once to take the lock. met reports that another writer asked meanwhile.
func ask(ctx context.Context, s stage.Storage, pipeline string, every time.Duration) (_ *lock, met bool, err error) {
	now := time.Now()
	dead, err := checkLocks(ctx, s, "", now)
	if err != nil {
		return nil, false, err
	}
	name, err := randomName()
	if err != nil {
		return nil, false, err
	}
	l := &lock{storage: s, name: locksDir + name, every: every,
		file: lockFile{process: thisProcess(), Pipeline: pipeline, Since: now.UTC()}}
	if err := l.put(ctx); err != nil {
		return nil, false, err
	}
	for _, name := range dead {
		err = errors.Join(err, s.Delete(ctx, name))
	}
	if err == nil {
		_, err = checkLocks(ctx, s, l.name, now)
		met = failure.Of(err) == failure.Refused
	}
	if err != nil {
		return nil, met, errors.Join(err, s.Delete(context.WithoutCancel(ctx), l.name))
	}
	keeping, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l.cancel = cancel
	l.done.Go(func() { l.keep(keeping) })
	return l, false, nil
}

func (l *lock) put(ctx context.Context) error {
	next := l.file
	next.Expires = time.Now().Add(lease).UTC()
	raw, err := json.Marshal(next)
	if err != nil {
		return fmt.Errorf("describing the lock: %w", err)
	}
	if err := l.storage.Put(ctx, l.name, raw); err != nil {
		return fmt.Errorf("storing the lock: %w", err)
	}
	l.file = next
	return nil
}

// keep refreshes the lock until ctx ends or the lock is lost.
func (l *lock) keep(ctx context.Context) {
	tick := time.NewTicker(l.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := l.renew(ctx); err != nil && ctx.Err() == nil {
			l.mu.Lock()
			l.lost = err
			tell := l.onLoss
			l.mu.Unlock()
			if tell != nil {
				tell(err)
			}
			return
		}
	}
}

// whenLost has tell called when the lock is lost, at once if it is.
func (l *lock) whenLost(tell func(error)) {
	l.mu.Lock()
	lost := l.lost
	l.onLoss = tell
	l.mu.Unlock()
	if lost != nil {
		tell(lost)
	}
}

// renew returns an error if the lock is lost. A Put that fails is tried again at
// the next tick, while the lease lasts.
func (l *lock) renew(ctx context.Context) error {
	expired := time.Now().After(l.file.Expires)
	ctx, cancel := context.WithDeadline(ctx, l.file.Expires) // a storage that hangs must not hide that the lease ends
	defer cancel()
	_, err := l.storage.Stat(ctx, l.name)
	if expired || errors.Is(err, stage.ErrNotExist) {
		return fmt.Errorf("the repository's lock was lost: it could not be refreshed before %s (was the machine asleep?); run again, what is stored is used",
			moment(l.file.Expires))
	}
	if err := l.put(ctx); err != nil && time.Now().After(l.file.Expires) {
		return err
	}
	return nil
}

// held returns why the lock is not held any more, or nil.
func (l *lock) held(ctx context.Context) error {
	l.mu.Lock()
	lost := l.lost
	l.mu.Unlock()
	if lost != nil {
		return lost
	}
	if _, err := l.storage.Stat(ctx, l.name); err != nil {
		return fmt.Errorf("the repository's lock was taken away (%s); run again, what is stored is used: %w", strings.TrimPrefix(l.name, locksDir), err)
	}
	return nil
}

// release gives the lock back, also when ctx has ended.
func (l *lock) release(ctx context.Context) error {
	l.cancel()
	l.done.Wait()
	if err := l.storage.Delete(context.WithoutCancel(ctx), l.name); err != nil {
		return fmt.Errorf("giving the lock back: %w", err)
	}
	return nil
}

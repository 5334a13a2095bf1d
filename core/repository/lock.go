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
	// grace is how long after that a lock still keeps an exclusive one away.
	grace = lease
)

// lock is a lock that is held. Its goroutine ends with release.
type lock struct {
	storage stage.Storage
	run     string
	every   time.Duration

	turn sync.Mutex // of the calls that use the next three
	name string     // of the newest object
	file lockFile
	left []string // objects of before: one, and those that could not be deleted

	cancel context.CancelFunc
	done   sync.WaitGroup

	mu     sync.Mutex
	lost   error
	onLoss func(error) // told once, by the goroutine
}

// Writers that ask at the same moment see each other, and all step back. They
// ask again after random pauses, of which the shortest wins.
const (
	attempts = 6
	pause    = 500 * time.Millisecond
)

// acquire takes the lock, or returns an error of class failure.Refused. Of those
// that ask at once for locks that exclude each other at most one gets its own.
func acquire(ctx context.Context, s stage.Storage, mode lockMode, pipeline string, every time.Duration) (*lock, error) {
	for attempt := 1; ; attempt++ {
		l, met, err := ask(ctx, s, mode, pipeline, every)
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

// acquireShared takes a lock that readers share. A storage that takes no lock, for
// it is read-only, has none that could be given back: the lock is nil then. An
// exclusive lock refuses a reader there, too.
func acquireShared(ctx context.Context, s stage.Storage) (*lock, error) {
	l, err := acquire(ctx, s, lockRead, "", refresh)
	if errors.Is(err, errNoLock) && ctx.Err() == nil {
		return nil, nil
	}
	return l, err
}

// errNoLock is the error of a storage that did not take a lock's object.
var errNoLock = errors.New("storing the lock")

// ask tries once to take the lock. met reports that another asked meanwhile.
func ask(ctx context.Context, s stage.Storage, mode lockMode, pipeline string, every time.Duration) (_ *lock, met bool, err error) {
	now := time.Now()
	dead, err := checkLocks(ctx, s, mode, "", now)
	if err != nil {
		return nil, false, err
	}
	name, err := randomName()
	if err != nil {
		return nil, false, err
	}
	l := &lock{storage: s, run: name, every: every,
		file: lockFile{process: thisProcess(), Mode: mode, Pipeline: pipeline, Since: now.UTC()}}
	if err := l.put(ctx); err != nil {
		return nil, false, err
	}
	for _, name := range dead {
		err := s.Delete(ctx, name)
		if err != nil && mode == lockExclusive {
			// A writer that was taken for dead must find that its lock is gone.
			return nil, false, errors.Join(failure.Wrap(failure.Refused, fmt.Errorf("objects can't be deleted here, so nothing can be removed: %w", err)), l.giveBack(context.WithoutCancel(ctx)))
		}
		if err != nil {
			break // where nothing can be deleted they stay, and are in nobody's way
		}
	}
	var turns []uint64 // first: who looks at the locks after a turn was taken sees its holder's
	if l.file.Turns {
		if turns, err = listTurns(ctx, s); err != nil {
			return nil, false, errors.Join(err, l.giveBack(context.WithoutCancel(ctx)))
		}
	}
	_, err = checkLocks(ctx, s, mode, l.run, now)
	if err == nil || failure.Of(err) == failure.Refused {
		err = l.takeTurn(ctx, turns, err)
	}
	if err != nil {
		return nil, failure.Of(err) == failure.Refused, errors.Join(err, l.giveBack(context.WithoutCancel(ctx)))
	}
	keeping, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l.cancel = cancel
	l.done.Go(func() { l.keep(keeping) })
	return l, false, nil
}

// put stores an object that lasts longer. Each has a name of its own, for a
// storage that can't replace objects; the one before stays until the next, so
// that who lists meanwhile sees one of them.
func (l *lock) put(ctx context.Context) error {
	next := l.file
	next.Expires = time.Now().Add(lease).UTC().Truncate(time.Millisecond)
	if !next.Expires.After(l.file.Expires) {
		next.Expires = l.file.Expires.Add(time.Millisecond)
	}
	name := lockName(l.run, next.Expires)
	err := l.create(ctx, name, &next)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoLock, err)
	}
	if l.name != "" {
		l.left = append(l.left, l.name)
	}
	l.name, l.file = name, next
	for len(l.left) > 1 && l.storage.Delete(ctx, l.left[0]) == nil {
		l.left = l.left[1:]
	}
	return nil
}

// create stores an object that replaces none, as far as the storage can tell. Where
// it can, a lock that others of its kind exclude is decided by turns.
func (l *lock) create(ctx context.Context, name string, f *lockFile) error {
	if c, ok := l.storage.(stage.Creator); ok && (l.name == "" || l.file.Turns || f.Mode == lockRead) {
		f.Turns = f.Mode != lockRead
		raw, err := json.Marshal(f)
		if err != nil {
			return fmt.Errorf("describing the lock: %w", err)
		}
		if err := c.Create(ctx, name, raw); !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	f.Turns = false
	raw, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("describing the lock: %w", err)
	}
	return l.storage.Put(ctx, name, raw)
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
	l.turn.Lock()
	defer l.turn.Unlock()
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
	l.turn.Lock()
	defer l.turn.Unlock()
	if time.Now().After(l.file.Expires) {
		return fmt.Errorf("the repository's lock expired at %s (was the machine asleep?); run again, what is stored is used", moment(l.file.Expires))
	}
	if _, err := l.storage.Stat(ctx, l.name); err != nil {
		return fmt.Errorf("the repository's lock was taken away (%s); run again, what is stored is used: %w", strings.TrimPrefix(l.name, locksDir), err)
	}
	return nil
}

// release gives the lock back, also when ctx has ended. A nil lock has nothing to give.
func (l *lock) release(ctx context.Context) error {
	if l == nil {
		return nil
	}
	l.cancel()
	l.done.Wait()
	return l.giveBack(context.WithoutCancel(ctx))
}

// giveBack deletes the lock. Where nothing can be deleted an object says that
// the lock was released.
func (l *lock) giveBack(ctx context.Context) error {
	l.turn.Lock()
	defer l.turn.Unlock()
	for _, name := range append(l.left, l.name) {
		err := l.storage.Delete(ctx, name)
		if err == nil {
			continue
		}
		if l.storage.Put(ctx, releasedName(l.run), []byte("{}")) != nil {
			return fmt.Errorf("giving the lock back (it expires at %s): %w", moment(l.file.Expires), err)
		}
		return nil
	}
	return nil
}

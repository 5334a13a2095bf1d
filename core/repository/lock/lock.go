package lock

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
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

// A lock that is not refreshed for lease is no lock any more; it is refreshed
// often enough that a slow storage may fail a few times.
const (
	Lease   = 5 * time.Minute
	Refresh = time.Minute
	// grace is how long after that a lock still keeps an exclusive one away.
	grace = Lease
)

// Lock is a lock that is held. Its goroutine ends with release.
type Lock struct {
	storage stage.Storage
	run     string
	Every   time.Duration

	Turn sync.Mutex // of the calls that use the next three
	Name string     // of the newest object
	File lockFile
	Left []string // objects of before: one, and those that could not be deleted

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

// Acquire takes the lock, or returns an error of class failure.Refused. Of those
// that ask at once for locks that exclude each other at most one gets its own.
func Acquire(ctx context.Context, s stage.Storage, mode lockMode, pipeline string, every time.Duration) (*Lock, error) {
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

// AcquireShared takes a lock that readers share. A storage that takes no lock, for
// it is read-only, has none that could be given back: the lock is nil then. An
// exclusive lock refuses a reader there, too.
func AcquireShared(ctx context.Context, s stage.Storage) (*Lock, error) {
	l, err := Acquire(ctx, s, lockRead, "", Refresh)
	if errors.Is(err, errNoLock) && ctx.Err() == nil {
		return nil, nil
	}
	return l, err
}

// errNoLock is the error of a storage that did not take a lock's object.
var errNoLock = errors.New("storing the lock")

// ask tries once to take the lock. met reports that another asked meanwhile.
func ask(ctx context.Context, s stage.Storage, mode lockMode, pipeline string, every time.Duration) (_ *Lock, met bool, err error) {
	now := time.Now()
	dead, err := CheckLocks(ctx, s, mode, "", now)
	if err != nil {
		return nil, false, err
	}
	name, err := object.RandomName()
	if err != nil {
		return nil, false, err
	}
	l := &Lock{storage: s, run: name, Every: every,
		File: lockFile{process: thisProcess(), Mode: mode, Pipeline: pipeline, Since: now.UTC()}}
	if err := l.Put(ctx); err != nil {
		return nil, false, err
	}
	for _, name := range dead {
		err := s.Delete(ctx, name)
		if err != nil && mode == LockExclusive {
			// A writer that was taken for dead must find that its lock is gone.
			return nil, false, errors.Join(failure.Wrap(failure.Refused, fmt.Errorf("objects can't be deleted here, so nothing can be removed: %w", err)), l.giveBack(context.WithoutCancel(ctx)))
		}
		if err != nil {
			break // where nothing can be deleted they stay, and are in nobody's way
		}
	}
	var turns []uint64 // first: who looks at the locks after a turn was taken sees its holder's
	if l.File.Turns {
		if turns, err = listTurns(ctx, s); err != nil {
			return nil, false, errors.Join(err, l.giveBack(context.WithoutCancel(ctx)))
		}
	}
	_, err = CheckLocks(ctx, s, mode, l.run, now)
	if err == nil || failure.Of(err) == failure.Refused {
		err = l.takeTurn(ctx, turns, err)
	}
	if err != nil {
		return nil, failure.Of(err) == failure.Refused, errors.Join(err, l.giveBack(context.WithoutCancel(ctx)))
	}
	keeping, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l.cancel = cancel
	l.done.Go(func() { l.Keep(keeping) })
	return l, false, nil
}

// Put stores an object that lasts longer. Each has a name of its own, for a
// storage that can't replace objects; the one before stays until the next, so
// that who lists meanwhile sees one of them.
func (l *Lock) Put(ctx context.Context) error {
	next := l.File
	next.Expires = time.Now().Add(Lease).UTC().Truncate(time.Millisecond)
	if !next.Expires.After(l.File.Expires) {
		next.Expires = l.File.Expires.Add(time.Millisecond)
	}
	name := lockName(l.run, next.Expires)
	err := l.create(ctx, name, &next)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoLock, err)
	}
	if l.Name != "" {
		l.Left = append(l.Left, l.Name)
	}
	l.Name, l.File = name, next
	for len(l.Left) > 1 && l.storage.Delete(ctx, l.Left[0]) == nil {
		l.Left = l.Left[1:]
	}
	return nil
}

// create stores an object that replaces none, as far as the storage can tell. Where
// it can, a lock that others of its kind exclude is decided by turns.
func (l *Lock) create(ctx context.Context, name string, f *lockFile) error {
	if c, ok := l.storage.(stage.Creator); ok && (l.Name == "" || l.File.Turns || f.Mode == lockRead) {
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

// Keep refreshes the lock until ctx ends or the lock is lost.
func (l *Lock) Keep(ctx context.Context) {
	tick := time.NewTicker(l.Every)
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

// WhenLost has tell called when the lock is lost, at once if it is.
func (l *Lock) WhenLost(tell func(error)) {
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
func (l *Lock) renew(ctx context.Context) error {
	l.Turn.Lock()
	defer l.Turn.Unlock()
	expired := time.Now().After(l.File.Expires)
	ctx, cancel := context.WithDeadline(ctx, l.File.Expires) // a storage that hangs must not hide that the lease ends
	defer cancel()
	_, err := l.storage.Stat(ctx, l.Name)
	if expired || errors.Is(err, stage.ErrNotExist) {
		return fmt.Errorf("the repository's lock was lost: it could not be refreshed before %s (was the machine asleep?); run again, what is stored is used",
			moment(l.File.Expires))
	}
	if err := l.Put(ctx); err != nil && time.Now().After(l.File.Expires) {
		return err
	}
	return nil
}

// Held returns why the lock is not held any more, or nil.
func (l *Lock) Held(ctx context.Context) error {
	l.mu.Lock()
	lost := l.lost
	l.mu.Unlock()
	if lost != nil {
		return lost
	}
	l.Turn.Lock()
	defer l.Turn.Unlock()
	if time.Now().After(l.File.Expires) {
		return fmt.Errorf("the repository's lock expired at %s (was the machine asleep?); run again, what is stored is used", moment(l.File.Expires))
	}
	if _, err := l.storage.Stat(ctx, l.Name); err != nil {
		return fmt.Errorf("the repository's lock was taken away (%s); run again, what is stored is used: %w", strings.TrimPrefix(l.Name, object.LocksDir), err)
	}
	return nil
}

// Release gives the lock back, also when ctx has ended. A nil lock has nothing to give.
func (l *Lock) Release(ctx context.Context) error {
	if l == nil {
		return nil
	}
	l.cancel()
	l.done.Wait()
	return l.giveBack(context.WithoutCancel(ctx))
}

// giveBack deletes the lock. Where nothing can be deleted an object says that
// the lock was released.
func (l *Lock) giveBack(ctx context.Context) error {
	l.Turn.Lock()
	defer l.Turn.Unlock()
	for _, name := range append(l.Left, l.Name) {
		err := l.storage.Delete(ctx, name)
		if err == nil {
			continue
		}
		if l.storage.Put(ctx, releasedName(l.run), []byte("{}")) != nil {
			return fmt.Errorf("giving the lock back (it expires at %s): %w", moment(l.File.Expires), err)
		}
		return nil
	}
	return nil
}

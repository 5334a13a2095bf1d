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

// A lock that is not refreshed for Lease expires. It is refreshed often enough that a
// slow storage may fail a few times.
const (
	Lease   = 5 * time.Minute
	Refresh = time.Minute
	// grace is how long an expired lock still prevents an exclusive one.
	grace = Lease
)

// Lock is a held lock. A goroutine refreshes it until Release.
type Lock struct {
	storage stage.Storage
	run     string
	Every   time.Duration

	Turn sync.Mutex // serializes the calls that use the next three fields
	Name string     // of the newest object
	File lockFile
	Left []string // earlier objects: the last one, and those that could not be deleted

	cancel context.CancelFunc
	done   sync.WaitGroup

	mu     sync.Mutex
	lost   error
	onLoss func(error) // called once, by the goroutine
}

// Writers that ask at the same time see each other, and all withdraw. They retry after
// random pauses, of which the shortest wins.
const (
	attempts = 6
	pause    = 500 * time.Millisecond
)

// Acquire takes a lock of the given mode. The error is of class failure.Refused if the
// lock is held. Of several processes that ask for conflicting locks at the same time, at
// most one succeeds. The caller must call Release.
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

// AcquireShared takes a lock of mode read. It returns a nil Lock if the storage is
// read-only. An exclusive lock refuses readers there, too.
func AcquireShared(ctx context.Context, s stage.Storage) (*Lock, error) {
	l, err := Acquire(ctx, s, lockRead, "", Refresh)
	if errors.Is(err, errNoLock) && ctx.Err() == nil {
		return nil, nil
	}
	return l, err
}

// errNoLock is the error if the storage refuses to store a lock.
var errNoLock = errors.New("storing the lock")

// ask tries once to take the lock. met reports that another process asked at the same time.
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
			// A writer that was wrongly considered dead must find its lock gone.
			return nil, false, errors.Join(failure.Wrap(failure.Refused, fmt.Errorf("objects can't be deleted here: %w", err)), l.giveBack(context.WithoutCancel(ctx)))
		}
		if err != nil {
			break // if nothing can be deleted they remain, harmlessly
		}
	}
	var turns []uint64 // listed first: a process that lists the locks after a turn was taken sees its holder's
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

// Put stores an object that expires later. Each has its own name, because some storages
// can't replace objects. The previous object remains until the next Put, so a process
// that lists the locks meanwhile sees at least one of them.
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

// create stores an object that must not exist yet, if the storage can check that. If it
// can, turns decide between conflicting locks.
func (l *Lock) create(ctx context.Context, name string, f *lockFile) error {
	if c, ok := l.storage.(stage.Creator); ok && (l.Name == "" || l.File.Turns || f.Mode == lockRead) {
		f.Turns = f.Mode != lockRead
		raw, err := json.Marshal(f)
		if err != nil {
			return fmt.Errorf("encoding the lock: %w", err)
		}
		if err := c.Create(ctx, name, raw); !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	f.Turns = false
	raw, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("encoding the lock: %w", err)
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

// WhenLost calls tell once the lock is lost, immediately if it is lost already.
func (l *Lock) WhenLost(tell func(error)) {
	l.mu.Lock()
	lost := l.lost
	l.onLoss = tell
	l.mu.Unlock()
	if lost != nil {
		tell(lost)
	}
}

// renew refreshes the lock, and returns an error if it is lost. A failed Put is retried at
// the next tick until the lease ends.
func (l *Lock) renew(ctx context.Context) error {
	l.Turn.Lock()
	defer l.Turn.Unlock()
	expired := time.Now().After(l.File.Expires)
	ctx, cancel := context.WithDeadline(ctx, l.File.Expires) // a storage that hangs must not hide the end of the lease
	defer cancel()
	_, err := l.storage.Stat(ctx, l.Name)
	if expired || errors.Is(err, stage.ErrNotExist) {
		return fmt.Errorf("the repository's lock was lost: it could not be refreshed before %s (was the machine asleep?); run again, stored data is reused",
			moment(l.File.Expires))
	}
	if err := l.Put(ctx); err != nil && time.Now().After(l.File.Expires) {
		return err
	}
	return nil
}

// Held returns nil while the lock is held, and otherwise why it was lost.
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
		return fmt.Errorf("the repository's lock expired at %s (was the machine asleep?); run again, stored data is reused", moment(l.File.Expires))
	}
	if _, err := l.storage.Stat(ctx, l.Name); err != nil {
		return fmt.Errorf("the repository's lock was deleted by another process (%s); run again, stored data is reused: %w", strings.TrimPrefix(l.Name, object.LocksDir), err)
	}
	return nil
}

// Release releases the lock, even if ctx has ended. It does nothing for a nil Lock.
func (l *Lock) Release(ctx context.Context) error {
	if l == nil {
		return nil
	}
	l.cancel()
	l.done.Wait()
	return l.giveBack(context.WithoutCancel(ctx))
}

// giveBack deletes the lock's objects. If the storage refuses to delete, it stores an
// object that marks the lock as released.
func (l *Lock) giveBack(ctx context.Context) error {
	l.Turn.Lock()
	defer l.Turn.Unlock()
	for _, name := range append(l.Left, l.Name) {
		err := l.storage.Delete(ctx, name)
		if err == nil {
			continue
		}
		if l.storage.Put(ctx, releasedName(l.run), []byte("{}")) != nil {
			return fmt.Errorf("releasing the lock (it expires at %s): %w", moment(l.File.Expires), err)
		}
		return nil
	}
	return nil
}

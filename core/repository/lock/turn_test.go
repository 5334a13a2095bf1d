package lock

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/repository/storagetest"
	"github.com/lmsvault/vault/core/stage"
)

// creating is a Shelf with a Create that fails if the object exists.
type creating struct {
	*storagetest.Shelf
	meanwhile func(name string) // called before each object is created
	listed    func(prefix string)
}

func (c *creating) Create(ctx context.Context, name string, data []byte) error {
	if c.meanwhile != nil {
		c.meanwhile(name)
	}
	c.Mu.Lock()
	_, there := c.Objects[name]
	if !there {
		c.Objects[name] = slices.Clone(data)
	}
	c.Mu.Unlock()
	if there {
		return stage.ErrExist
	}
	return nil
}

func (c *creating) List(ctx context.Context, prefix string, fn func(stage.Object) error) error {
	if c.listed != nil {
		c.listed(prefix)
	}
	return c.Shelf.List(ctx, prefix, fn)
}

func (c *creating) names(prefix string) (names []string) {
	c.Mu.Lock()
	defer c.Mu.Unlock()
	for name := range c.Objects {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	return names
}

// If several processes request the lock at the same time, exactly one gets it, provided that
// the storage supports Create.
func TestConcurrentAcquireByTurns(t *testing.T) {
	for round := range 200 {
		s := &creating{Shelf: storagetest.NewShelf()}
		const many = 6
		var begin, looked sync.WaitGroup
		looked.Add(many)
		s.meanwhile = func(name string) {
			if strings.HasPrefix(name, object.LocksDir) { // no process has seen a lock, and each stores its own
				looked.Done()
				looked.Wait()
			}
		}
		locks, errs := make([]*Lock, many), make([]error, many)
		for i := range many {
			begin.Go(func() {
				mode := LockWrite
				if i%3 == 0 {
					mode = LockExclusive
				}
				locks[i], _, errs[i] = ask(t.Context(), s, mode, "p", time.Hour)
			})
		}
		begin.Wait()
		got := 0
		for i := range many {
			if errs[i] == nil {
				got++
				Release(t, locks[i])
			} else if failure.Of(errs[i]) != failure.Refused {
				t.Fatalf("round %d: %v", round, errs[i])
			}
		}
		if got != 1 {
			t.Fatalf("round %d: %d processes got the lock", round, got)
		}
		if left := s.names(object.LocksDir); len(left) > 0 {
			t.Fatalf("locks remain: %v", left)
		}
		if left := s.names(object.TurnsDir); len(left) != 1 {
			t.Fatalf("turns are %v, want one", left)
		}
	}
}

// onlyFirst calls fn for the first n lists of turns only.
func onlyFirst(n int, fn func(string)) func(string) {
	var mu sync.Mutex
	return func(prefix string) {
		mu.Lock()
		call := prefix == object.TurnsDir && n > 0
		if call {
			n--
		}
		mu.Unlock()
		if call {
			fn(prefix)
		}
	}
}

// If another lock appears during Acquire, its turn decides whether it is held.
func TestTurnDecidesWhoHoldsLock(t *testing.T) {
	for name, c := range map[string]struct {
		other lockFile
		turn  string // run of the last turn
		gets  bool
	}{
		"no turn":                       {lockFile{Mode: LockWrite, Turns: true}, "", true},
		"a third run has the last turn": {lockFile{Mode: LockWrite, Turns: true}, "00000000000000000000000000000009", true},
		"it has the last turn":          {lockFile{Mode: LockWrite, Turns: true}, otherRun, false},
		"exclusive, with the last turn": {lockFile{Mode: LockExclusive, Turns: true}, otherRun, false},
		"lock without turns":            {lockFile{Mode: LockWrite}, "", false},
		"unknown mode":                  {lockFile{Mode: "other", Turns: true}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := &creating{Shelf: storagetest.NewShelf()}
			c.other.process = process{Host: "elsewhere", PID: 7}
			c.other.Expires = time.Now().Add(time.Minute)
			s.listed = onlyFirst(1, func(string) {
				s.Mu.Lock()
				defer s.Mu.Unlock()
				lock(s.Shelf, t, c.other)
				if c.turn != "" {
					raw, err := json.Marshal(turnFile{c.turn})
					if err != nil {
						t.Error(err)
					}
					s.Objects[turnName(4)] = raw
				}
			})
			l, met, err := ask(t.Context(), s, LockWrite, "p", time.Hour)
			if (err == nil) != c.gets || err != nil && (!met || failure.Of(err) != failure.Refused) {
				t.Fatalf("%v, met %v", err, met)
			}
			if err != nil {
				if len(s.names(object.LocksDir)) != 1 {
					t.Errorf("remaining locks: %v", s.names(object.LocksDir))
				}
				return
			}
			if want := map[bool]string{true: turnName(5), false: turnName(1)}[c.turn != ""]; !slices.Equal(s.names(object.TurnsDir), []string{want}) {
				t.Errorf("turns are %v, want %s", s.names(object.TurnsDir), want)
			}
			Release(t, l)
		})
	}
}

// A process that was suspended between listing locks and taking its turn does not get a lock
// that another process has acquired since, regardless of the number of turns.
func TestLateTurnGetsNoLock(t *testing.T) {
	for _, turns := range []int{1, 2, 5} {
		s := &creating{Shelf: storagetest.NewShelf()}
		var holder *Lock
		asleep := func(name string) {
			if name != turnName(1) {
				return
			}
			s.meanwhile = nil
			for _, lock := range s.names(object.LocksDir) { // the suspended process's lock, which has expired
				delete(s.Objects, lock)
			}
			for i := range turns {
				var err error
				if holder, err = Acquire(t.Context(), s, LockWrite, "p", time.Hour); err != nil {
					t.Fatal(err)
				}
				if i < turns-1 {
					Release(t, holder)
				}
			}
		}
		s.meanwhile = asleep
		if _, _, err := ask(t.Context(), s, LockWrite, "p", time.Hour); failure.Of(err) != failure.Refused || !errors.Is(err, errTurn) {
			t.Errorf("after %d turns: %v", turns, err)
		}
		if err := holder.Held(t.Context()); err != nil {
			t.Errorf("after %d turns the holder has lost its lock: %v", turns, err)
		}
		Release(t, holder)
	}
}

// Shared locks need no turns.
func TestReadersTakeNoTurns(t *testing.T) {
	s := &creating{Shelf: storagetest.NewShelf()}
	l, err := AcquireShared(t.Context(), s)
	if err != nil || len(s.names(object.TurnsDir)) > 0 {
		t.Errorf("%v, turns %v", err, s.names(object.TurnsDir))
	}
	Release(t, l)
}

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

// creating is a shelf that stores an object only where none is.
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

// Of those that ask at the same moment, without asking again, exactly one gets the
// lock, where objects are created only if there is none.
func TestExactlyOneOfManyGetsTheLockByTurns(t *testing.T) {
	for round := range 200 {
		s := &creating{Shelf: storagetest.NewShelf()}
		const many = 6
		var begin, looked sync.WaitGroup
		looked.Add(many)
		s.meanwhile = func(name string) {
			if strings.HasPrefix(name, object.LocksDir) { // all have seen no lock, and store theirs
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
			t.Fatalf("round %d: %d got the lock", round, got)
		}
		if left := s.names(object.LocksDir); len(left) > 0 {
			t.Fatalf("locks are left: %v", left)
		}
		if left := s.names(object.TurnsDir); len(left) != 1 {
			t.Fatalf("turns are left: %v", left)
		}
	}
}

// onlyFirst calls fn for the first n lists of turns, and never again.
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

// A lock that appears while one's own is taken: whether it is held says its turn.
func TestATurnSaysWhoHoldsTheLock(t *testing.T) {
	for name, c := range map[string]struct {
		other lockFile
		turn  string // of which run the last turn is
		gets  bool
	}{
		"it has no turn":               {lockFile{Mode: LockWrite, Turns: true}, "", true},
		"another had the last":         {lockFile{Mode: LockWrite, Turns: true}, "00000000000000000000000000000009", true},
		"it has the last":              {lockFile{Mode: LockWrite, Turns: true}, otherRun, false},
		"it is exclusive, with a turn": {lockFile{Mode: LockExclusive, Turns: true}, otherRun, false},
		"it takes no turns":            {lockFile{Mode: LockWrite}, "", false},
		"of a later vault":             {lockFile{Mode: "other", Turns: true}, "", false},
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
					t.Errorf("left are %v", s.names(object.LocksDir))
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

// Who was asleep between looking and taking the turn does not get a lock that
// another has got since, however many turns there were.
func TestALateTurnIsNone(t *testing.T) {
	for _, turns := range []int{1, 2, 5} {
		s := &creating{Shelf: storagetest.NewShelf()}
		var holder *Lock
		asleep := func(name string) {
			if name != turnName(1) {
				return
			}
			s.meanwhile = nil
			for _, lock := range s.names(object.LocksDir) { // of the sleeper: it has expired
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
			t.Errorf("after %d turns the holder's is lost: %v", turns, err)
		}
		Release(t, holder)
	}
}

// Readers share, and take no turns.
func TestReadersTakeNoTurns(t *testing.T) {
	s := &creating{Shelf: storagetest.NewShelf()}
	l, err := AcquireShared(t.Context(), s)
	if err != nil || len(s.names(object.TurnsDir)) > 0 {
		t.Errorf("%v, turns %v", err, s.names(object.TurnsDir))
	}
	Release(t, l)
}

package repository

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
	"github.com/lmsvault/vault/core/stage"
)

// creating is a shelf that stores an object only where none is.
type creating struct {
	*shelf
	meanwhile func(name string) // called before each object is created
	listed    func(prefix string)
}

func (c *creating) Create(ctx context.Context, name string, data []byte) error {
	if c.meanwhile != nil {
		c.meanwhile(name)
	}
	c.mu.Lock()
	_, there := c.objects[name]
	if !there {
		c.objects[name] = slices.Clone(data)
	}
	c.mu.Unlock()
	if there {
		return stage.ErrExist
	}
	return nil
}

func (c *creating) List(ctx context.Context, prefix string, fn func(stage.Object) error) error {
	if c.listed != nil {
		c.listed(prefix)
	}
	return c.shelf.List(ctx, prefix, fn)
}

func (c *creating) names(prefix string) (names []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name := range c.objects {
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
		s := &creating{shelf: newShelf()}
		const many = 6
		var begin, looked sync.WaitGroup
		looked.Add(many)
		s.meanwhile = func(name string) {
			if strings.HasPrefix(name, locksDir) { // all have seen no lock, and store theirs
				looked.Done()
				looked.Wait()
			}
		}
		locks, errs := make([]*lock, many), make([]error, many)
		for i := range many {
			begin.Go(func() {
				mode := lockWrite
				if i%3 == 0 {
					mode = lockExclusive
				}
				locks[i], _, errs[i] = ask(t.Context(), s, mode, "p", time.Hour)
			})
		}
		begin.Wait()
		got := 0
		for i := range many {
			if errs[i] == nil {
				got++
				release(t, locks[i])
			} else if failure.Of(errs[i]) != failure.Refused {
				t.Fatalf("round %d: %v", round, errs[i])
			}
		}
		if got != 1 {
			t.Fatalf("round %d: %d got the lock", round, got)
		}
		if left := s.names(locksDir); len(left) > 0 {
			t.Fatalf("locks are left: %v", left)
		}
		if left := s.names(turnsDir); len(left) != 1 {
			t.Fatalf("turns are left: %v", left)
		}
	}
}

// onlyFirst calls fn for the first n lists of turns, and never again.
func onlyFirst(n int, fn func(string)) func(string) {
	var mu sync.Mutex
	return func(prefix string) {
		mu.Lock()
		call := prefix == turnsDir && n > 0
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
		"it has no turn":               {lockFile{Mode: lockWrite, Turns: true}, "", true},
		"another had the last":         {lockFile{Mode: lockWrite, Turns: true}, "00000000000000000000000000000009", true},
		"it has the last":              {lockFile{Mode: lockWrite, Turns: true}, otherRun, false},
		"it is exclusive, with a turn": {lockFile{Mode: lockExclusive, Turns: true}, otherRun, false},
		"it takes no turns":            {lockFile{Mode: lockWrite}, "", false},
		"of a later vault":             {lockFile{Mode: "other", Turns: true}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := &creating{shelf: newShelf()}
			c.other.process = process{Host: "elsewhere", PID: 7}
			c.other.Expires = time.Now().Add(time.Minute)
			s.listed = onlyFirst(1, func(string) {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.shelf.lock(t, c.other)
				if c.turn != "" {
					raw, err := json.Marshal(turnFile{c.turn})
					if err != nil {
						t.Error(err)
					}
					s.objects[turnName(4)] = raw
				}
			})
			l, met, err := ask(t.Context(), s, lockWrite, "p", time.Hour)
			if (err == nil) != c.gets || err != nil && (!met || failure.Of(err) != failure.Refused) {
				t.Fatalf("%v, met %v", err, met)
			}
			if err != nil {
				if len(s.names(locksDir)) != 1 {
					t.Errorf("left are %v", s.names(locksDir))
				}
				return
			}
			if want := map[bool]string{true: turnName(5), false: turnName(1)}[c.turn != ""]; !slices.Equal(s.names(turnsDir), []string{want}) {
				t.Errorf("turns are %v, want %s", s.names(turnsDir), want)
			}
			release(t, l)
		})
	}
}

// Who was asleep between looking and taking the turn does not get a lock that
// another has got since, however many turns there were.
func TestALateTurnIsNone(t *testing.T) {
	for _, turns := range []int{1, 2, 5} {
		s := &creating{shelf: newShelf()}
		var holder *lock
		asleep := func(name string) {
			if name != turnName(1) {
				return
			}
			s.meanwhile = nil
			for _, lock := range s.names(locksDir) { // of the sleeper: it has expired
				delete(s.objects, lock)
			}
			for i := range turns {
				var err error
				if holder, err = acquire(t.Context(), s, lockWrite, "p", time.Hour); err != nil {
					t.Fatal(err)
				}
				if i < turns-1 {
					release(t, holder)
				}
			}
		}
		s.meanwhile = asleep
		if _, _, err := ask(t.Context(), s, lockWrite, "p", time.Hour); failure.Of(err) != failure.Refused || !errors.Is(err, errTurn) {
			t.Errorf("after %d turns: %v", turns, err)
		}
		if err := holder.held(t.Context()); err != nil {
			t.Errorf("after %d turns the holder's is lost: %v", turns, err)
		}
		release(t, holder)
	}
}

// Readers share, and take no turns.
func TestReadersTakeNoTurns(t *testing.T) {
	s := &creating{shelf: newShelf()}
	l, err := acquireShared(t.Context(), s)
	if err != nil || len(s.names(turnsDir)) > 0 {
		t.Errorf("%v, turns %v", err, s.names(turnsDir))
	}
	release(t, l)
}

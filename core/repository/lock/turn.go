package lock

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

// A turn is an object turns/NUMBER, which says who got the lock for writing or the
// exclusive lock. It is only stored where there is none of its number: of those who
// ask for the next at the same moment one gets it, and that one gets the lock.

// turnFile is the content of a turn.
type turnFile struct {
	Run string `json:"run"` // of the lock
}

func turnName(n uint64) string { return fmt.Sprintf("%s%012d", object.TurnsDir, n) }

func ParseTurnName(name string) (n uint64, ok bool) {
	n, err := strconv.ParseUint(strings.TrimPrefix(name, object.TurnsDir), 10, 40)
	return n, err == nil && name == turnName(n)
}

// listTurns returns the numbers of the turns there are, in order.
func listTurns(ctx context.Context, s stage.Storage) ([]uint64, error) {
	var turns []uint64
	err := s.List(ctx, object.TurnsDir, func(o stage.Object) error {
		if n, ok := ParseTurnName(o.Name); ok {
			turns = append(turns, n)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing the turns of locks: %w", err)
	}
	slices.Sort(turns)
	return turns, nil
}

// last is the greatest of some turns, 0 for none.
func last(turns []uint64) uint64 {
	if len(turns) == 0 {
		return 0
	}
	return turns[len(turns)-1]
}

// turnOwner returns the run that had a turn; "" if that can't be told.
func turnOwner(ctx context.Context, s stage.Storage, n uint64) (string, error) {
	if n == 0 {
		return "", nil
	}
	raw, err := s.Get(ctx, nil, turnName(n), 0, -1)
	if errors.Is(err, stage.ErrNotExist) || errors.Is(err, stage.ErrCorrupt) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", turnName(n), err)
	}
	var t turnFile
	if json.Unmarshal(raw, &t) != nil {
		return "", nil
	}
	return t.Run, nil
}

var errTurn = failure.New(failure.Refused, "another process took the repository's lock at the same moment; try again")

// takeTurn takes the next turn after those that were there before others' locks were
// looked at. met is what was found then: nil, or that others hold or ask for a lock
// that excludes this one. It returns nil if this lock is held. Who looked at the locks
// after the holder took its turn has seen the holder's lock, and who looked before
// asks for a turn that is taken: so there is one holder.
func (l *Lock) takeTurn(ctx context.Context, before []uint64, met error) error {
	if !l.File.Turns {
		return met
	}
	if met != nil {
		var c *conflictError
		if !errors.As(met, &c) || !c.asking {
			return met
		}
		owner, err := turnOwner(ctx, l.storage, last(before))
		if err != nil {
			return err
		}
		if owner == "" && last(before) > 0 || slices.Contains(c.runs, owner) {
			return met // it has the lock
		}
	}
	own := last(before) + 1
	raw, err := json.Marshal(turnFile{l.run})
	if err != nil {
		return fmt.Errorf("describing the turn of a lock: %w", err)
	}
	creator, ok := l.storage.(stage.Creator)
	if !ok {
		return met
	}
	if err := creator.Create(ctx, turnName(own), raw); errors.Is(err, stage.ErrExist) {
		return cmp.Or(met, errTurn)
	} else if err != nil {
		return fmt.Errorf("storing the turn of the lock: %w", err)
	}
	now, err := listTurns(ctx, l.storage)
	if err != nil {
		return err
	}
	if last(now) != own { // this number was free only because it had been deleted
		return errors.Join(cmp.Or(met, errTurn), l.storage.Delete(ctx, turnName(own)))
	}
	for _, n := range now[:len(now)-1] { // the greatest stays, for the next must be greater
		if l.storage.Delete(ctx, turnName(n)) != nil {
			break // where nothing can be deleted they stay
		}
	}
	return nil
}

// conflictError says which locks of others exclude one's own.
type conflictError struct {
	error          // about the first
	runs  []string // whose locks these are
	// asking: all are for writing or exclusive, of processes that take turns, and so
	// perhaps not held yet.
	asking bool
}

// Unwrap returns the error about the first.
func (c *conflictError) Unwrap() error { return c.error }

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

// A turn is an object turns/NUMBER, which names the run that got a write or exclusive
// lock. It is created only if no turn has its number. If several processes ask for the
// next turn at the same time, one of them gets it, and with it the lock.

// turnFile is the content of a turn.
type turnFile struct {
	Run string `json:"run"` // that owns the lock
}

func turnName(n uint64) string { return fmt.Sprintf("%s%012d", object.TurnsDir, n) }

// ParseTurnName returns the number in the name of a turn object.
func ParseTurnName(name string) (n uint64, ok bool) {
	n, err := strconv.ParseUint(strings.TrimPrefix(name, object.TurnsDir), 10, 40)
	return n, err == nil && name == turnName(n)
}

// listTurns returns the numbers of all turns, in ascending order.
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

// last returns the greatest turn, or 0 if there is none.
func last(turns []uint64) uint64 {
	if len(turns) == 0 {
		return 0
	}
	return turns[len(turns)-1]
}

// turnOwner returns the run that owns a turn, or "" if it is unknown.
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

var errTurn = failure.New(failure.Refused, "another process took the repository's lock at the same time; try again")

// takeTurn takes the turn after those in before, which were listed before the locks were
// checked. met is the result of that check: nil, or a conflict with other locks that are
// held or asked for. takeTurn returns nil if this lock is held. There is only one holder:
// a process that checked the locks after the holder took its turn has seen the holder's
// lock, and one that checked earlier asks for a turn that is taken.
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
			return met // the other process holds the lock
		}
	}
	own := last(before) + 1
	raw, err := json.Marshal(turnFile{l.run})
	if err != nil {
		return fmt.Errorf("encoding the turn of a lock: %w", err)
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
	if last(now) != own { // the number was free only because its turn had been deleted
		return errors.Join(cmp.Or(met, errTurn), l.storage.Delete(ctx, turnName(own)))
	}
	for _, n := range now[:len(now)-1] { // keep the greatest: the next turn must be greater
		if l.storage.Delete(ctx, turnName(n)) != nil {
			break // if nothing can be deleted they remain
		}
	}
	return nil
}

// conflictError lists the locks that conflict with this one.
type conflictError struct {
	error          // about the first
	runs  []string // whose locks these are
	// asking is true if all of them are write or exclusive locks of processes that take
	// turns, and may therefore not be held yet.
	asking bool
}

// Unwrap returns the error about the first.
func (c *conflictError) Unwrap() error { return c.error }

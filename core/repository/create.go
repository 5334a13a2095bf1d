package repository

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/repository/lock"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

var (
	// ErrNoRepository is returned where a storage holds nothing at all.
	ErrNoRepository = errors.New("there is no repository here (no " + object.RootName + ")")
	// ErrRepositoryExists is returned by Create.
	ErrRepositoryExists = errors.New("there is a repository here already")
)

// Creation says what Create makes.
type Creation struct {
	Transforms []keyring.Transform // of the repository's first key
	// NoKey leaves the key to the first backup, which knows its transforms.
	NoKey bool
}

// Create makes a repository in an empty storage, which it closes. Errors of
// class failure.Refused: there is one (ErrRepositoryExists), the place is not
// empty, or it can't be written; nothing was changed then. It may be repeated
// after any other error.
func Create(ctx context.Context, below stage.Storage, c Creation) (err error) {
	s := guard(below)
	defer func() { err = errors.Join(err, s.Close(context.WithoutCancel(ctx))) }()
	if err := vacant(ctx, s); err != nil {
		return err
	}
	if _, err := s.Free(ctx); err != nil {
		return failure.Wrap(failure.Refused, fmt.Errorf("no repository can be written here: %w", err))
	}
	l, err := lock.Acquire(ctx, s, lock.LockWrite, "", lock.Refresh)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Release(ctx)) }()
	if err := vacant(ctx, s); err != nil { // another may have been first
		return err
	}
	t := &target{}
	if err := t.createRoot(ctx, s, time.Now()); err != nil {
		return err
	}
	if c.NoKey || !canOpen(c.Transforms) { // with recipients alone every backup makes its own
		return nil
	}
	_, err = t.create(ctx, s, c.Transforms, time.Now())
	return err
}

// vacant returns nil if a repository can be made in s.
func vacant(ctx context.Context, s stage.Storage) error {
	_, err := object.ReadRoot(ctx, s)
	switch {
	case errors.Is(err, stage.ErrNotExist):
	case err != nil:
		return failure.Wrap(failure.Refused, err)
	default:
		return failure.Wrap(failure.Refused, ErrRepositoryExists)
	}
	if err := absent(ctx, s); !errors.Is(err, ErrNoRepository) {
		return err
	}
	return nil
}

// absent explains what is there instead of a repository; ErrNoRepository if
// nothing is. Its errors are of class failure.Refused.
func absent(ctx context.Context, s stage.Storage) error {
	foreign, err := foreignObject(ctx, s)
	if err != nil {
		return err
	}
	if foreign == "" {
		return failure.Wrap(failure.Refused, ErrNoRepository)
	}
	return failure.New(failure.Refused, "this is not a repository (no %s), and it is not empty: it holds for example %q; check the place, or use an empty one", object.RootName, foreign)
}

var errFound = errors.New("found")

// foreignObject names something that stands where a new repository would be
// made; "" if nothing does. A first backup that was killed leaves no more than a lock.
func foreignObject(ctx context.Context, s stage.Storage) (string, error) {
	var name string
	err := s.List(ctx, "", func(o stage.Object) error {
		if _, _, lock := lock.ParseLockName(o.Name); lock && strings.HasPrefix(o.Name, object.LocksDir) {
			return nil
		}
		if _, turn := lock.ParseTurnName(o.Name); turn && strings.HasPrefix(o.Name, object.TurnsDir) {
			return nil
		}
		name = o.Name
		return errFound
	})
	if err != nil && !errors.Is(err, errFound) {
		return "", fmt.Errorf("looking what is there: %w", err)
	}
	return name, nil
}

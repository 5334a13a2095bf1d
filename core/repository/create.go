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
	// ErrNoRepository is returned for an empty storage.
	ErrNoRepository = errors.New("there is no repository here (no " + object.RootName + ")")
	// ErrRepositoryExists is returned by Create if the storage contains a repository.
	ErrRepositoryExists = errors.New("there is a repository here already")
)

// Creation configures Create.
type Creation struct {
	Transforms []keyring.Transform // of the first key
	// NoKey leaves creating the key to the first backup.
	NoKey bool
}

// Create creates a repository in an empty storage, and closes the storage. The error is of
// class failure.Refused if there is a repository already (ErrRepositoryExists), or if the
// storage is not empty or can't be written; nothing is changed then. Create may be repeated
// after any other error.
func Create(ctx context.Context, below stage.Storage, c Creation) (err error) {
	s := guard(below)
	defer func() { err = errors.Join(err, s.Close(context.WithoutCancel(ctx))) }()
	if err := vacant(ctx, s); err != nil {
		return err
	}
	if _, err := s.Free(ctx); err != nil {
		return failure.Wrap(failure.Refused, fmt.Errorf("cannot create a repository: %w", err))
	}
	l, err := lock.Acquire(ctx, s, lock.LockWrite, "", lock.Refresh)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Release(ctx)) }()
	if err := vacant(ctx, s); err != nil { // another process may have been first
		return err
	}
	t := &target{}
	if err := t.createRoot(ctx, s, time.Now()); err != nil {
		return err
	}
	if c.NoKey || !canOpen(c.Transforms) { // with only recipients, every backup creates its own key
		return nil
	}
	_, err = t.create(ctx, s, c.Transforms, time.Now())
	return err
}

// vacant returns nil if a repository can be created in s.
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

// absent returns the error for a storage without a repository: ErrNoRepository if it is
// empty. The error is of class failure.Refused.
func absent(ctx context.Context, s stage.Storage) error {
	foreign, err := foreignObject(ctx, s)
	if err != nil {
		return err
	}
	if foreign == "" {
		return failure.Wrap(failure.Refused, ErrNoRepository)
	}
	return failure.New(failure.Refused, "not a repository (no %s), but not empty: it contains %q; check the location, or use an empty one", object.RootName, foreign)
}

var errFound = errors.New("found")

// foreignObject returns the name of an object that prevents creating a repository, or ""
// if there is none. Locks and turns don't: a killed first backup may leave them.
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
		return "", fmt.Errorf("listing the storage: %w", err)
	}
	return name, nil
}

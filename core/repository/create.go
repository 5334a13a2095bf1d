package repository

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

var (
	// ErrNoRepository is returned where a storage holds nothing at all.
	ErrNoRepository = errors.New("there is no repository here (no " + rootName + ")")
	// ErrRepositoryExists is returned by Create.
	ErrRepositoryExists = errors.New("there is a repository here already")
)

// Creation says what Create makes.
type Creation struct {
	Transforms []Transform // of the repository's first key
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
	l, err := acquire(ctx, s, lockWrite, "", refresh)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.release(ctx)) }()
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
	_, err := readRoot(ctx, s)
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

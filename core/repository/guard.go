package repository

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/semaphore"

	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/retry"
	"github.com/lmsvault/vault/core/stage"
)

// maxRead is the maximum length of a read: the size of the largest sealed chunk.
const maxRead = 1<<30 + 1<<27

// maxSize returns the maximum size of an object that is read completely.
func maxSize(name string) int64 {
	switch {
	case name == object.RootName, strings.HasPrefix(name, object.LocksDir), strings.HasPrefix(name, object.TurnsDir):
		return 64 << 10
	case strings.HasPrefix(name, object.KeysDir), strings.HasPrefix(name, object.AccessDir):
		return 4 << 20
	case strings.HasPrefix(name, object.IndexDir):
		return 64 << 20
	}
	return keyring.MaxObject + keyring.MaxObject/8
}

// guarded protects the repository from a slow, failing or hostile storage. Calls have
// deadlines and are retried (see package retry), the number of concurrent calls is at most
// Limits.Connections, and the size of reads is limited.
type guarded struct {
	*retry.Storage
	turns *semaphore.Weighted // nil if concurrent calls are not limited
}

func guard(s stage.Storage) *guarded {
	g := &guarded{Storage: retry.New(s)}
	if n := g.Limits().Connections; n > 0 {
		g.turns = semaphore.NewWeighted(int64(n))
	}
	return g
}

// turn waits until another call is allowed; the caller must call done after it. Calls for
// locks don't wait, because a lock could expire while packs are transferred over a slow
// connection. List doesn't wait either, because its callback may make other calls.
func (g *guarded) turn(ctx context.Context, name string) (done func(), err error) {
	if g.turns == nil || strings.HasPrefix(name, object.LocksDir) || strings.HasPrefix(name, object.TurnsDir) {
		return func() {}, nil
	}
	if err := g.turns.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	return func() { g.turns.Release(1) }, nil
}

func (g *guarded) Put(ctx context.Context, name string, data []byte) error {
	done, err := g.turn(ctx, name)
	if err != nil {
		return err
	}
	defer done()
	return g.Storage.Put(ctx, name, data)
}

func (g *guarded) Create(ctx context.Context, name string, data []byte) error {
	done, err := g.turn(ctx, name)
	if err != nil {
		return err
	}
	defer done()
	return g.Storage.Create(ctx, name, data)
}

// Get implements stage.Storage. It refuses to read more than the size limit of the object.
func (g *guarded) Get(ctx context.Context, dst []byte, name string, offset, length int64) ([]byte, error) {
	done, err := g.turn(ctx, name)
	if err != nil {
		return dst, err
	}
	defer done()
	limit := int64(maxRead)
	if length < 0 {
		o, err := g.Storage.Stat(ctx, name)
		if err != nil {
			return dst, err
		}
		length, limit = max(0, o.Size-offset), maxSize(name)
	}
	if length > limit {
		return dst, fmt.Errorf("%s: %w: it has %d MiB, which exceeds the limit of %d MiB", name, stage.ErrCorrupt, length>>20, limit>>20)
	}
	read, err := g.Storage.Get(ctx, dst, name, offset, length)
	if err == nil && int64(len(read)-len(dst)) != length {
		err = fmt.Errorf("%s: %w: %d bytes came, and %d were asked for", name, stage.ErrCorrupt, len(read)-len(dst), length)
	}
	if err != nil {
		return dst, err
	}
	return read, nil
}

func (g *guarded) Delete(ctx context.Context, name string) error {
	done, err := g.turn(ctx, name)
	if err != nil {
		return err
	}
	defer done()
	return g.Storage.Delete(ctx, name)
}

func (g *guarded) Stat(ctx context.Context, name string) (stage.Object, error) {
	done, err := g.turn(ctx, name)
	if err != nil {
		return stage.Object{}, err
	}
	defer done()
	return g.Storage.Stat(ctx, name)
}

package repository

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// How long a call of a storage may take: slowBase, and the time that its bytes
// take at slowRate. So a pack of 16 MiB has 22 minutes.
const (
	slowBase = 5 * time.Minute
	slowRate = 16 << 10 // bytes in a second
	// grace is how long a call that was cancelled may take to return.
	grace = 10 * time.Second
)

// maxRead is the most that is read of an object at once: a chunk, sealed.
const maxRead = 1<<30 + 1<<27

// maxSize is how large an object may be that is read whole.
func maxSize(name string) int64 {
	switch {
	case name == rootName, strings.HasPrefix(name, locksDir):
		return 64 << 10
	case strings.HasPrefix(name, keysDir):
		return 4 << 20
	case strings.HasPrefix(name, indexDir):
		return 64 << 20
	}
	return maxObject + maxObject/8
}

// guarded is a storage that nobody needs to trust: it bounds how long each call
// takes and how much is read. Once a call does not return although it was
// cancelled, no other is made.
type guarded struct {
	stage.Storage
	base, grace time.Duration

	mu   sync.Mutex
	hung error
}

func guard(s stage.Storage) *guarded {
	return &guarded{Storage: s, base: slowBase, grace: grace}
}

var errSlow = errors.New("the storage does not answer")

// call carries out one call that moves size bytes. What do uses must not be used
// again where call returns an error, but for other calls of g.
func (g *guarded) call(ctx context.Context, what string, size int64, do func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	patience := g.patience(size)
	timer := time.AfterFunc(patience, func() { cancel(errSlow) })
	defer timer.Stop()
	return g.wait(ctx, what, patience, do)
}

func (g *guarded) patience(size int64) time.Duration {
	return g.base + time.Duration(size/slowRate)*time.Second
}

// wait runs do until it returns, or until it does not although ctx has ended.
func (g *guarded) wait(ctx context.Context, what string, patience time.Duration, do func(ctx context.Context) error) error {
	g.mu.Lock()
	hung := g.hung
	g.mu.Unlock()
	if hung != nil {
		return hung
	}
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		select {
		case err = <-done:
		case <-time.After(g.grace):
			err = fmt.Errorf("%s: %w, and could not be stopped (is a network share away?): %w", what, errSlow, context.Cause(ctx))
			g.mu.Lock()
			g.hung = err
			g.mu.Unlock()
			return err
		}
	}
	if err != nil && context.Cause(ctx) == errSlow {
		return fmt.Errorf("%s: %w for %v: %w", what, errSlow, patience, err)
	}
	return err
}

func (g *guarded) Put(ctx context.Context, name string, data []byte) error {
	return g.call(ctx, "storing "+name, int64(len(data)), func(ctx context.Context) error { return g.Storage.Put(ctx, name, data) })
}

// Get reads at most what an object of this name may hold.
func (g *guarded) Get(ctx context.Context, dst []byte, name string, offset, length int64) ([]byte, error) {
	limit := int64(maxRead)
	if length < 0 {
		o, err := g.Stat(ctx, name)
		if err != nil {
			return dst, err
		}
		length, limit = max(0, o.Size-offset), maxSize(name)
	}
	if length > limit {
		return dst, fmt.Errorf("%s: %w: it has %d MiB, which exceeds the limit of %d MiB", name, stage.ErrCorrupt, length>>20, limit>>20)
	}
	out := dst
	err := g.call(ctx, "reading "+name, length, func(ctx context.Context) error {
		read, err := g.Storage.Get(ctx, dst, name, offset, length)
		if err == nil && int64(len(read)-len(dst)) != length {
			err = fmt.Errorf("%s: %w: %d bytes came, and %d were asked for", name, stage.ErrCorrupt, len(read)-len(dst), length)
		}
		if err == nil {
			out = read
		}
		return err
	})
	if err != nil {
		return dst, err
	}
	return out, nil
}

// List may take any time, but not long for an object.
func (g *guarded) List(ctx context.Context, prefix string, fn func(stage.Object) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(g.base, func() { cancel(errSlow) })
	defer timer.Stop()
	var mu sync.Mutex
	over := false // nobody waits for fn any more
	defer func() {
		mu.Lock()
		over = true
		mu.Unlock()
	}()
	return g.wait(ctx, "listing "+prefix, g.base, func(ctx context.Context) error {
		return g.Storage.List(ctx, prefix, func(o stage.Object) error {
			mu.Lock()
			defer mu.Unlock()
			if over {
				return errSlow
			}
			timer.Reset(g.base)
			return fn(o)
		})
	})
}

func (g *guarded) Delete(ctx context.Context, name string) error {
	return g.call(ctx, "deleting "+name, 0, func(ctx context.Context) error { return g.Storage.Delete(ctx, name) })
}

func (g *guarded) Stat(ctx context.Context, name string) (stage.Object, error) {
	var o stage.Object
	err := g.call(ctx, "looking for "+name, 0, func(ctx context.Context) (err error) {
		found, err := g.Storage.Stat(ctx, name)
		if err == nil {
			o = found
		}
		return err
	})
	if err != nil {
		return stage.Object{}, err
	}
	return o, nil
}

// Free makes g a stage.Capacity: of a storage that can't tell it is unknown.
func (g *guarded) Free(ctx context.Context) (int64, error) {
	c, ok := g.Storage.(stage.Capacity)
	if !ok {
		return -1, nil
	}
	free := int64(-1)
	err := g.call(ctx, "asking for free space", 0, func(ctx context.Context) error {
		n, err := c.Free(ctx)
		if err == nil {
			free = n
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return free, nil
}

// Close closes the storage, unless it hangs.
func (g *guarded) Close(ctx context.Context) error {
	g.mu.Lock()
	hung := g.hung
	g.mu.Unlock()
	if hung != nil {
		return nil // which was told
	}
	return g.call(ctx, "closing the storage", 0, g.Storage.Close)
}

var _ stage.Capacity = (*guarded)(nil)

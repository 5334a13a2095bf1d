package repository

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// odd is a storage that says that everything is huge, and fails if it is read.
type odd struct {
	*shelf
	size int64
	t    *testing.T
}

func (o odd) Stat(_ context.Context, name string) (stage.Object, error) {
	return stage.Object{Name: name, Size: o.size}, nil
}

func (o odd) Get(_ context.Context, dst []byte, name string, _, _ int64) ([]byte, error) {
	o.t.Errorf("%s is read", name)
	return dst, nil
}

// What is too large for its kind is damage, and not read.
func TestHugeObjectsAreNotRead(t *testing.T) {
	g := guard(odd{newShelf(), 300 << 30, t})
	for _, name := range []string{rootName, "keys/k", "locks/l", "index/k/n", "snapshots/k/id", "packs/k/aa/n"} {
		if _, err := g.Get(t.Context(), nil, name, 0, -1); !errors.Is(err, stage.ErrCorrupt) || !strings.Contains(err.Error(), "exceeds the limit") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := g.Get(t.Context(), nil, "packs/k/aa/n", 5, 4<<30); !errors.Is(err, stage.ErrCorrupt) {
		t.Errorf("a chunk of 4 GiB: %v", err)
	}
	r := &Repository{storage: g}
	if err := r.open(t.Context()); !errors.Is(err, stage.ErrCorrupt) {
		t.Errorf("open: %v", err)
	}
	for name, size := range map[string]int64{rootName: 64 << 10, "keys/k": 4 << 20, "index/k/n": 64 << 20} {
		if maxSize(name) != size {
			t.Errorf("the limit of %s is %d", name, maxSize(name))
		}
	}
}

// hanging is a storage whose calls do not return before free is closed; polite
// ones return when they are cancelled.
type hanging struct {
	*shelf
	polite bool
	free   chan struct{}
}

func (h hanging) hang(ctx context.Context) error {
	if h.polite {
		<-ctx.Done()
		return ctx.Err()
	}
	<-h.free
	return nil
}

func (h hanging) Put(ctx context.Context, _ string, _ []byte) error { return h.hang(ctx) }
func (h hanging) Delete(ctx context.Context, _ string) error        { return h.hang(ctx) }
func (h hanging) Close(ctx context.Context) error                   { return h.hang(ctx) }
func (h hanging) Stat(ctx context.Context, _ string) (stage.Object, error) {
	return stage.Object{}, h.hang(ctx)
}
func (h hanging) Get(ctx context.Context, dst []byte, _ string, _, _ int64) ([]byte, error) {
	return dst, h.hang(ctx)
}
func (h hanging) List(ctx context.Context, _ string, _ func(stage.Object) error) error {
	return h.hang(ctx)
}

func calls(g *guarded) map[string]func(ctx context.Context) error {
	return map[string]func(ctx context.Context) error{
		"put":    func(ctx context.Context) error { return g.Put(ctx, "x", nil) },
		"delete": func(ctx context.Context) error { return g.Delete(ctx, "x") },
		"stat":   func(ctx context.Context) error { _, err := g.Stat(ctx, "x"); return err },
		"get":    func(ctx context.Context) error { _, err := g.Get(ctx, nil, "x", 0, 1); return err },
		"list":   func(ctx context.Context) error { return g.List(ctx, "x", nil) },
	}
}

// A storage that does not answer ends each call, whether or not it can be cancelled.
func TestHangingStorageEndsCalls(t *testing.T) {
	for _, polite := range []bool{true, false} {
		h := hanging{newShelf(), polite, make(chan struct{})}
		defer close(h.free)
		for name := range calls(guard(h)) {
			g := guard(h)
			g.base, g.grace = time.Millisecond, time.Millisecond
			if polite {
				g.grace = time.Hour
			}
			err := calls(g)[name](t.Context())
			if !errors.Is(err, errSlow) {
				t.Errorf("%s, polite %v: %v", name, polite, err)
			}
			if polite {
				continue
			}
			g.base = time.Hour
			if err := errors.Join(g.Put(t.Context(), "y", nil), g.Close(t.Context())); !errors.Is(err, errSlow) {
				t.Errorf("after %s: %v", name, err)
			}
		}
	}
}

// A person who interrupts does not wait for a storage that hangs.
func TestHangingStorageCanBeInterrupted(t *testing.T) {
	h := hanging{newShelf(), false, make(chan struct{})}
	defer close(h.free)
	for name := range calls(guard(h)) {
		g := guard(h)
		g.grace = time.Millisecond
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := calls(g)[name](ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Large objects get the time that they take on a slow line.
func TestPatienceGrowsWithSize(t *testing.T) {
	g := guard(newShelf())
	for _, c := range []struct {
		size int64
		want time.Duration
	}{{0, 5 * time.Minute}, {16 << 20, 5*time.Minute + 1024*time.Second}} {
		if got := g.patience(c.size); got != c.want {
			t.Errorf("%d bytes may take %v, want %v", c.size, got, c.want)
		}
	}
}

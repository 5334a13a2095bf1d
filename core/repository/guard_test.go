package repository

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/repository/storagetest"
	"github.com/lmsvault/vault/core/stage"
)

// odd is a storage that reports a huge size for all objects, and fails the test if one is
// read.
type odd struct {
	*storagetest.Shelf
	size int64
	t    *testing.T
}

func (o odd) Stat(_ context.Context, name string) (stage.Object, error) {
	return stage.Object{Name: name, Size: o.size}, nil
}

func (o odd) Get(_ context.Context, dst []byte, name string, _, _ int64) ([]byte, error) {
	o.t.Errorf("%s was read", name)
	return dst, nil
}

// An object that exceeds the limit of its kind is reported as damage without reading it.
func TestHugeObjectsAreNotRead(t *testing.T) {
	g := guard(odd{storagetest.NewShelf(), 300 << 30, t})
	for _, name := range []string{object.RootName, "keys/k", "locks/l", "index/k/n", "snapshots/k/id", "packs/k/aa/n"} {
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
	for name, size := range map[string]int64{object.RootName: 64 << 10, "keys/k": 4 << 20, "index/k/n": 64 << 20} {
		if maxSize(name) != size {
			t.Errorf("the limit for %s is %d", name, maxSize(name))
		}
	}
}

// narrow is a storage that allows two concurrent calls, and records their maximum number.
type narrow struct {
	*storagetest.Shelf
	mu          sync.Mutex
	now, most   int
	lockEntered chan struct{}
}

func (n *narrow) Limits() stage.Limits { return stage.Limits{Connections: 2} }

func (n *narrow) Put(ctx context.Context, name string, data []byte) error {
	if strings.HasPrefix(name, object.LocksDir) {
		close(n.lockEntered)
		return nil
	}
	n.mu.Lock()
	n.now++
	n.most = max(n.most, n.now)
	n.mu.Unlock()
	<-n.lockEntered // as slow as a pack over a slow connection
	n.mu.Lock()
	n.now--
	n.mu.Unlock()
	return nil
}

// The number of concurrent calls is limited, except for the refresh of a lock, which would
// expire while large packs are transferred.
func TestConcurrentCallsAreLimited(t *testing.T) {
	n := &narrow{Shelf: storagetest.NewShelf(), lockEntered: make(chan struct{})}
	g := guard(n)
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			if err := g.Put(t.Context(), fmt.Sprintf("packs/%d", i), nil); err != nil {
				t.Error(err)
			}
		})
	}
	for busy := 0; busy < 2; {
		n.mu.Lock()
		busy = n.now
		n.mu.Unlock()
		runtime.Gosched()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.Put(ctx, "packs/late", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a waiting call does not end with its context: %v", err)
	}
	if err := g.Put(t.Context(), object.LocksDir+"x", nil); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if n.most != 2 {
		t.Errorf("%d concurrent calls, want 2", n.most)
	}
}

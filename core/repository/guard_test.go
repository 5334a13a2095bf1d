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

// odd is a storage that says that everything is huge, and fails if it is read.
type odd struct {
	*storagetest.Shelf
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
			t.Errorf("the limit of %s is %d", name, maxSize(name))
		}
	}
}

// narrow is a storage that likes two calls at once, and notes how many there are.
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
	<-n.lockEntered // as slow as a pack on a slow line
	n.mu.Lock()
	n.now--
	n.mu.Unlock()
	return nil
}

// No more calls are made at once than the storage likes, but a lock is refreshed
// whatever is under way: it would expire behind large packs.
func TestNoMoreCallsAtOnceThanTheStorageLikes(t *testing.T) {
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
		t.Errorf("a call that waits is not ended with its context: %v", err)
	}
	if err := g.Put(t.Context(), object.LocksDir+"x", nil); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if n.most != 2 {
		t.Errorf("%d calls were made at once, want 2", n.most)
	}
}

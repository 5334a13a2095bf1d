package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// creator returns the storage as a Creator, or skips the check if it is not one.
func creator(t testing.TB, s stage.Storage) stage.Creator {
	t.Helper()
	prefix := ""
	if b, ok := s.(below); ok {
		s, prefix = b.Storage, b.prefix
	}
	c, ok := s.(stage.Creator)
	if !ok {
		t.Skip("the storage is not a stage.Creator")
	}
	made := creates{c, prefix}
	switch err := made.Create(t.Context(), "able", nil); {
	case errors.Is(err, errors.ErrUnsupported):
		t.Skipf("the storage does not support Create here: %v", err)
	case err != nil:
		t.Fatalf("create: %v", err)
	}
	must(t, "delete", s.Delete(t.Context(), prefix+"able"))
	return made
}

// creates is a Creator that adds a prefix.
type creates struct {
	stage.Creator
	prefix string
}

func (c creates) Create(ctx context.Context, name string, data []byte) error {
	return c.Creator.Create(ctx, c.prefix+name, data)
}

func storageCreate(t testing.TB, s stage.Storage) {
	c := creator(t, s)
	first, second := random(1, 5000), random(2, 100)
	must(t, "create", c.Create(t.Context(), "locks/one", bytes.Clone(first)))
	wantObject(t, s, "locks/one", first)
	wantExist := func(name string) {
		t.Helper()
		err := c.Create(t.Context(), name, second)
		if !errors.Is(err, stage.ErrExist) {
			t.Errorf("create of existing %s: %v, want ErrExist", name, err)
		}
		if _, again := stage.IsTemporary(err); again {
			t.Errorf("create of existing %s: the error is temporary and would be retried: %v", name, err)
		}
		wantObject(t, s, name, first)
	}
	wantExist("locks/one")
	must(t, "put", s.Put(t.Context(), "put", bytes.Clone(first)))
	wantExist("put")
	must(t, "put over a created object", s.Put(t.Context(), "locks/one", bytes.Clone(second)))
	wantObject(t, s, "locks/one", second)
	must(t, "delete", s.Delete(t.Context(), "locks/one"))
	must(t, "create after delete", c.Create(t.Context(), "locks/one", bytes.Clone(first)))
	wantObject(t, s, "locks/one", first)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := promptly(t, "create", func() error { return c.Create(ctx, "late", first) }); !errors.Is(err, context.Canceled) {
		t.Errorf("create with a cancelled context: %v", err)
	}
	wantList(t, s, "", "locks/one", "put")
}

// storageCreateOnce creates the same name from many goroutines at once.
func storageCreateOnce(t testing.TB, s stage.Storage) {
	c := creator(t, s)
	const rounds, workers = 20, 8
	var all []string
	for round := range rounds {
		name := fmt.Sprintf("locks/%d", round)
		all = append(all, name)
		var mu sync.Mutex
		var winners []int
		var wg sync.WaitGroup
		begin := make(chan struct{})
		for w := range workers {
			wg.Go(func() {
				<-begin
				switch err := c.Create(t.Context(), name, random(uint64(w), 1000)); {
				case err == nil:
					mu.Lock()
					defer mu.Unlock()
					winners = append(winners, w)
				case !errors.Is(err, stage.ErrExist):
					t.Errorf("concurrent create: %v, want nil or ErrExist", err)
				}
			})
		}
		close(begin)
		wg.Wait()
		if len(winners) != 1 {
			t.Errorf("of %d concurrent creates of %s, %d succeeded", workers, name, len(winners))
			return
		}
		wantObject(t, s, name, random(uint64(winners[0]), 1000))
	}
	wantList(t, s, "", all...)
}

func storageLimits(t testing.TB, s stage.Storage) {
	if b, ok := s.(below); ok {
		s = b.Storage
	}
	l, ok := s.(stage.Limiter)
	if !ok {
		t.Skip("the storage is not a stage.Limiter")
	}
	if n := l.Limits().Connections; n < 0 {
		t.Errorf("preferred number of calls is %d; use 0 for no preference", n)
	}
	if first, second := l.Limits(), l.Limits(); first != second {
		t.Errorf("Limits returned %+v and then %+v", first, second)
	}
}

package conformance

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// storagePlace is the location where one check stores objects.
type storagePlace struct {
	StorageFixture
	prefix string // for a shared location
}

func newStoragePlace(f StorageFixture) *storagePlace {
	p := &storagePlace{StorageFixture: f}
	if f.Shared {
		p.prefix = "t" + strings.ToLower(rand.Text()[:12]) + "/"
	}
	return p
}

// open opens the location, empty.
func (p *storagePlace) open(t testing.TB) stage.Storage {
	t.Helper()
	if p.Shared {
		return below{p.Open(t), p.prefix}
	}
	return p.Open(t)
}

// reopen opens the location as it is.
func (p *storagePlace) reopen(t testing.TB) stage.Storage {
	t.Helper()
	if p.Shared {
		return p.open(t)
	}
	return p.Reopen(t)
}

// clear removes the check's objects from a shared location. After a cancelled check it
// looks several times, because an abandoned Put may still be running.
func (p *storagePlace) clear(t testing.TB) {
	if !p.Shared {
		return
	}
	s := p.open(t)
	defer closeStorage(t, s)
	ctx := context.WithoutCancel(t.Context())
	for look := 1; ; look++ {
		var names []string
		if err := s.List(ctx, "", func(o stage.Object) error { names = append(names, o.Name); return nil }); err != nil {
			t.Errorf("listing the check's objects below %s in order to remove them: %v", p.prefix, err)
			return
		}
		each(t, names, func(_ int, name string) error { return s.Delete(ctx, name) })
		if t.Context().Err() == nil || look == 5 {
			return
		}
		<-time.After(50 * time.Millisecond)
	}
}

func closeStorage(t testing.TB, s stage.Storage) {
	t.Helper()
	if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("close: %v", err)
	}
}

// each calls fn for every name, several at once.
func each(t testing.TB, names []string, fn func(i int, name string) error) {
	t.Helper()
	const workers = 16
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(names); i += workers {
				if err := fn(i, names[i]); err != nil {
					t.Errorf("%s: %v", names[i], err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// below is a storage limited to a prefix.
type below struct {
	stage.Storage
	prefix string
}

func (b below) Put(ctx context.Context, name string, data []byte) error {
	return b.Storage.Put(ctx, b.prefix+name, data)
}

func (b below) Get(ctx context.Context, dst []byte, name string, offset, length int64) ([]byte, error) {
	return b.Storage.Get(ctx, dst, b.prefix+name, offset, length)
}

func (b below) Delete(ctx context.Context, name string) error {
	return b.Storage.Delete(ctx, b.prefix+name)
}

func (b below) Stat(ctx context.Context, name string) (stage.Object, error) {
	o, err := b.Storage.Stat(ctx, b.prefix+name)
	o.Name = strings.TrimPrefix(o.Name, b.prefix)
	return o, err
}

func (b below) List(ctx context.Context, prefix string, fn func(stage.Object) error) error {
	return b.Storage.List(ctx, b.prefix+prefix, func(o stage.Object) error {
		name, ok := strings.CutPrefix(o.Name, b.prefix)
		if !ok {
			return fmt.Errorf("%q is listed but does not begin with %q", o.Name, b.prefix+prefix)
		}
		return fn(stage.Object{Name: name, Size: o.Size})
	})
}

// longest returns the maximum length of a name in this storage.
func longest(s stage.Storage) int {
	const limit = 200
	if b, ok := s.(below); ok {
		return limit - len(b.prefix)
	}
	return limit
}

// capacity returns the storage as a Capacity; ok is false if it is not one.
func capacity(s stage.Storage) (stage.Capacity, bool) {
	if b, ok := s.(below); ok {
		s = b.Storage
	}
	c, ok := s.(stage.Capacity)
	return c, ok
}

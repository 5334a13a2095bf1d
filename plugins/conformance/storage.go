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

// StorageFixture opens the storage under test.
type StorageFixture struct {
	// Open opens an empty storage. The suite closes it.
	Open func(t testing.TB) stage.Storage
	// Reopen opens the storage last opened by Open again, possibly while that is still
	// open. It is nil for a storage that ends with its process.
	Reopen func(t testing.TB) stage.Storage
	// Shared says that Open opens the same location each time, which may hold other
	// objects. Each check then uses a prefix of its own and removes what it stored. Reopen
	// is not needed.
	Shared bool
	// Process enables the checks that kill the process. It may be nil.
	Process Process

	effort effort
}

// Storage tests a storage. open returns an empty storage; reopen opens the same storage
// again, and may be nil for one that ends with its process.
func Storage(t *testing.T, open func(t testing.TB) stage.Storage, reopen func(t testing.TB) stage.Storage) {
	runAll(t, StorageChecks(StorageFixture{Open: open, Reopen: reopen}))
}

// StorageChecks returns the checks of a storage.
func StorageChecks(f StorageFixture) []Check {
	checks := []Check{
		f.check("storage/put-get", "An object of any size, including empty, is returned byte for byte, and Stat returns its size. A backup consists of objects.", storagePutGet),
		f.check("storage/buffers", "Put copies its data and Get returns bytes that nothing else refers to. Vault reuses its buffers; a shared one would mix up objects.", storageBuffers),
		f.check("storage/range", "Get returns exactly the requested range or an error. A restore reads many small ranges of large objects, and a single wrong byte damages the site.", storageRanges),
		f.check("storage/replace", "Put replaces an existing object completely and may be repeated. An interrupted run stores objects again.", storageReplace),
		f.check("storage/list", "List returns every object with the prefix and its size, and no other. A restore does not find an unlisted object, and fails on one that does not exist.", storageList),
		f.check("storage/list-prefixes", "A prefix is plain text, not a directory, and one name may be a prefix of another. Otherwise objects of different kinds are confused.", storagePrefixes),
		f.check("storage/list-many", "List continues after the first page: all of 2,500 objects are listed once. Every larger site has that many.", storageListMany),
		f.check("storage/list-stop", "An error of the callback stops List at once and is returned. A cancelled run must not list a million names first.", storageListStop),
		f.check("storage/delete", "Delete removes exactly one object, and succeeds if it does not exist. Prune repeats interrupted deletes.", storageDelete),
		f.check("storage/missing", "Every call reports a missing object as ErrNotExist. Vault relies on it to distinguish a new repository from one that can't be reached.", storageMissing),
		f.check("storage/names", "Every name of a-z 0-9 . - _ and / with up to 200 characters can be stored. Vault uses such names.", storageNames),
		f.placed("storage/large", "An object of 64 MiB can be stored and read. A single row can be that large and must not be skipped for its size.", storageLarge),
		f.check("storage/concurrent", "Calls can run concurrently, and a reader sees an object before or after its replacement, never partially. Workers and other runs use the storage at the same time.", storageConcurrent),
		f.check("storage/cancelled", "A call with a cancelled context does nothing and returns the context's error. A cancelled run must stop.", storageCancelled),
		f.check("storage/free", "Free succeeds and changes nothing. vault check calls it before the first byte is written.", storageFree),
		f.check("storage/create", "Create, if supported, stores an object only if it does not exist; otherwise it returns ErrExist and changes nothing. A lock that overwrites another protects nothing.", storageCreate),
		f.check("storage/create-once", "If several callers create the same object at once, exactly one succeeds, and its bytes are stored. Two runs that both hold a lock destroy each other's work.", storageCreateOnce),
		f.check("storage/limits", "The preferred number of concurrent calls is 0 or more and constant. Vault asks for it once.", storageLimits),
		f.placed("storage/cancelled-put", "A Put that is cancelled while running returns promptly and leaves the old object, the new one or none. To the next run a partial object would look complete.", storageCancelledPut),
	}
	if f.Reopen != nil || f.Shared {
		checks = append(checks, f.placed("storage/durable", "After Put returns, the object is visible to others and durable, even without Close. The run that wrote it may be killed at any time.", storageDurable))
	}
	if f.Process != nil && (f.Reopen != nil || f.Shared) {
		checks = append(checks, f.placed("crash/put", "If the process is killed during a Put, the call ends, and the object is old, new or absent when the storage is opened again. Earlier backups must survive any crash.", storageCrash))
	}
	return checks
}

// check returns a check of one open storage.
func (f StorageFixture) check(id, why string, test func(t testing.TB, s stage.Storage)) Check {
	return f.placed(id, why, func(t testing.TB, p *storagePlace) {
		s := p.open(t)
		defer closeStorage(t, s)
		test(t, s)
	})
}

// placed returns a check that opens its storage itself.
func (f StorageFixture) placed(id, why string, test func(t testing.TB, p *storagePlace)) Check {
	return Check{ID: id, Why: why, Run: func(t testing.TB) {
		leakless(t, f.effort.leakTimeout(), func() {
			p := newStoragePlace(f)
			defer p.clear(t)
			test(t, p)
		})
	}}
}

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

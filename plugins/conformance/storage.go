package conformance

import (
	"testing"

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

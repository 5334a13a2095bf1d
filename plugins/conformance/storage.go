package conformance

import (
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// StorageFixture opens storages.
type StorageFixture struct {
	// Open opens an empty storage. The suite closes it.
	Open func(t testing.TB) stage.Storage
	// Reopen opens what Open opened last once more, while that may still be
	// open; nil for a storage that ends with its process.
	Reopen func(t testing.TB) stage.Storage
	// Shared tells that Open opens one and the same place every time, where
	// other objects may be. Each check then stays below a prefix of its own, and
	// removes what it put. Reopen is not needed.
	Shared bool
	// Process adds the checks that kill. It may be nil.
	Process Process

	effort effort
}

// Storage tests a storage. open makes an empty one; reopen, which may be nil for
// one that ends with its process, opens what was stored there again.
func Storage(t *testing.T, open func(t testing.TB) stage.Storage, reopen func(t testing.TB) stage.Storage) {
	runAll(t, StorageChecks(StorageFixture{Open: open, Reopen: reopen}))
}

// StorageChecks lists the checks of a storage.
func StorageChecks(f StorageFixture) []Check {
	checks := []Check{
		f.check("storage/put-get", "An object comes back byte for byte, of any size from nothing on, and Stat tells its size: a backup is nothing but objects.", storagePutGet),
		f.check("storage/buffers", "Put copies what it is given and Get hands out bytes that nobody else has: Vault uses its buffers again, and a shared one would put one object's bytes into another.", storageBuffers),
		f.check("storage/range", "Get returns exactly the bytes of a range, or an error: a restore reads many small pieces out of large objects, and one byte too few or from elsewhere is a damaged site.", storageRanges),
		f.check("storage/replace", "Put of a name that is there replaces the object whole, and may be repeated: a run that was interrupted stores things again.", storageReplace),
		f.check("storage/list", "List names every object of a prefix with its size, and no other: what is not listed is not found by a restore, and what is listed in vain stops one.", storageList),
		f.check("storage/list-prefixes", "A prefix is plain text, not a folder, and names may begin with other names: else objects of one kind are taken for those of another.", storagePrefixes),
		f.check("storage/list-many", "List goes on after the first page: with 2,500 objects, as every larger site has, none is left out or told twice.", storageListMany),
		f.check("storage/list-stop", "An error of List's callback ends List at once and comes back: a run that was stopped must not go through a million names first.", storageListStop),
		f.check("storage/delete", "Delete removes one object and no other, also twice and one that never was: prune repeats what was interrupted.", storageDelete),
		f.check("storage/missing", "An object that is not there is told by ErrNotExist from every call: by it Vault tells a new repository from one that can't be reached.", storageMissing),
		f.check("storage/names", "Every name of a-z 0-9 . - _ and / up to 200 characters can be stored: Vault makes such names.", storageNames),
		f.placed("storage/large", "An object of 64 MiB goes in and out whole: one row of a table can be as large, and must not be left out for its size.", storageLarge),
		f.check("storage/concurrent", "Many calls at once don't disturb each other, and an object that is being replaced is seen old or new, never in part: workers and other runs use the storage at the same time.", storageConcurrent),
		f.check("storage/cancelled", "A call whose context has ended already does nothing and returns the context's error: a run that was stopped must stop.", storageCancelled),
		f.check("storage/free", "A storage that tells its room does so without an error and without changing anything: vault check asks before the first byte is written.", storageFree),
		f.check("storage/create", "Create, where a storage has it, stores an object only where none is and says ErrExist otherwise, without changing anything: a lock that replaces another's protects nothing.", storageCreate),
		f.check("storage/create-once", "Of several that create one object at once exactly one is told that it did, and its bytes are there: two runs that both believe to have a lock destroy each other's work.", storageCreateOnce),
		f.check("storage/limits", "How many calls a storage likes at once is a number from 0, and always the same: Vault asks for it once.", storageLimits),
		f.placed("storage/cancelled-put", "A Put that is cancelled under way returns promptly and leaves the old object, the new one or none: half an object looks like a whole one to the next run.", storageCancelledPut),
	}
	if f.Reopen != nil || f.Shared {
		checks = append(checks, f.placed("storage/durable", "What Put has said to be stored is there for others at once and after everything, also when nobody calls Close: the run that wrote it may be killed the next moment.", storageDurable))
	}
	if f.Process != nil && (f.Reopen != nil || f.Shared) {
		checks = append(checks, f.placed("crash/put", "When the process is killed in the middle of a Put, the call ends, and the object is old, new or absent when the storage is opened again: earlier backups must survive every crash.", storageCrash))
	}
	return checks
}

// check is a check of one open storage.
func (f StorageFixture) check(id, why string, test func(t testing.TB, s stage.Storage)) Check {
	return f.placed(id, why, func(t testing.TB, p *storagePlace) {
		s := p.open(t)
		defer closeStorage(t, s)
		test(t, s)
	})
}

// placed is a check that opens its place by itself.
func (f StorageFixture) placed(id, why string, test func(t testing.TB, p *storagePlace)) Check {
	return Check{ID: id, Why: why, Run: func(t testing.TB) {
		leakless(t, f.effort.leakTimeout(), func() {
			p := newStoragePlace(f)
			defer p.clear(t)
			test(t, p)
		})
	}}
}

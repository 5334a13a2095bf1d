package repository_test

import (
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// Old snapshots without owners can still be read. The next backup stores the owners of all
// files, including those it does not read again.
func TestUnchangedFilesGetCurrentOwners(t *testing.T) {
	m, s := newMemory(), sampleSite()
	old := mustBackup(t, s, m, "secret")
	s.owner = stage.Owner{Known: true, UID: 33, GID: 34}
	before := m.bytes()
	owned := mustBackup(t, s, m, "secret")
	if grown := m.bytes() - before; grown*20 > before {
		t.Errorf("owners take %d bytes, in addition to %d", grown, before)
	}
	s.owner = stage.Owner{Known: true} // root
	root := mustBackup(t, s, m, "secret")
	for snapshot, want := range map[string]stage.Owner{old.Snapshot: {}, owned.Snapshot: {Known: true, UID: 33, GID: 34}, root.Snapshot: {Known: true}} {
		r := restore(t, m, snapshot, "secret")
		r.sameAs(t, s)
		if len(r.entries) != len(s.files)+2 {
			t.Errorf("%d entries", len(r.entries))
		}
		for path, e := range r.entries {
			if e.Owner != want {
				t.Errorf("%q belongs to %+v, want %+v", path, e.Owner, want)
			}
		}
	}
}

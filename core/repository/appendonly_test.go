package repository_test

import (
	"context"
	"errors"
	"testing"
)

// appendOnly is a storage that refuses to delete and replace objects.
type appendOnly struct{ *memory }

var errAppendOnly = errors.New("access denied")

func (a appendOnly) Delete(context.Context, string) error { return errAppendOnly }

func (a appendOnly) Put(ctx context.Context, name string, data []byte) error {
	if _, err := a.Stat(ctx, name); err == nil {
		return errAppendOnly
	}
	return a.memory.Put(ctx, name, data)
}

// Several backups can be made to a storage that refuses deletion.
func TestBackupsIntoAppendOnlyStorage(t *testing.T) {
	m, s := newMemory(), sampleSite()
	for range 3 {
		if _, err := backup(t.Context(), s, appendOnly{m}, seals(t, "secret")); err != nil {
			t.Fatal(err)
		}
	}
	if snaps := m.names("snapshots/"); len(snaps) != 3 {
		t.Errorf("got snapshots %v", snaps)
	}
	restore(t, m, "latest", "secret").sameAs(t, s)
}

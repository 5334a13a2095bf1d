package repository_test

import (
	"context"
	"errors"
	"testing"
)

// appendOnly refuses to delete, and to replace what is there.
type appendOnly struct{ *memory }

var errAppendOnly = errors.New("access denied")

func (a appendOnly) Delete(context.Context, string) error { return errAppendOnly }

func (a appendOnly) Put(ctx context.Context, name string, data []byte) error {
	if _, err := a.Stat(ctx, name); err == nil {
		return errAppendOnly
	}
	return a.memory.Put(ctx, name, data)
}

// A destination that keeps everything takes one backup after the other.
func TestBackupsIntoAppendOnlyStorage(t *testing.T) {
	m, s := newMemory(), sampleSite()
	for range 3 {
		if _, err := backup(t.Context(), s, appendOnly{m}, seals(t, "secret")); err != nil {
			t.Fatal(err)
		}
	}
	if snaps := m.names("snapshots/"); len(snaps) != 3 {
		t.Errorf("snapshots %v", snaps)
	}
	restore(t, m, "latest", "secret").sameAs(t, s)
}

package repository

import (
	"context"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// Of a backup whose lock is gone nothing becomes a snapshot: another may be writing.
func TestFinishNeedsTheLock(t *testing.T) {
	s := newShelf()
	sink := NewSink(s, SinkConfig{Create: true})
	plan := &stage.Plan{Pipeline: "nightly"}
	if err := sink.Begin(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), sink.lock.name); err != nil {
		t.Fatal(err)
	}
	if err := sink.Finish(t.Context(), &stage.Outcome{}); err == nil || !strings.Contains(err.Error(), "lock was taken away") {
		t.Errorf("Finish returns %v", err)
	}
	if err := s.List(t.Context(), snapshotDir, func(o stage.Object) error {
		t.Errorf("%s is there", o.Name)
		return nil
	}); err != nil {
		t.Error(err)
	}
	if err := sink.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// swapping keeps another manifest than the one it gets.
type swapping struct {
	*shelf
	other []byte
}

func (s swapping) Put(ctx context.Context, name string, data []byte) error {
	if strings.HasPrefix(name, snapshotDir) {
		data = s.other
	}
	return s.shelf.Put(ctx, name, data)
}

// A manifest that reads back well, and is not the one that was stored, is none.
func TestManifestIsComparedAfterWriting(t *testing.T) {
	s, made := newShelf(), &target{}
	snap := &Snapshot{Format: Format, ID: "20260101-000000-00000000", Pipeline: "nightly"}
	if err := made.createRoot(t.Context(), s, snap.Start); err != nil {
		t.Fatal(err)
	}
	e, err := made.create(t.Context(), s, nil, snap.Start)
	if err != nil {
		t.Fatal(err)
	}
	other, err := e.sealObject(t.Context(), []byte(`{"format":1,"id":"20260101-000000-00000000"}`), e.blobName("snapshot", snap.ID))
	if err != nil {
		t.Fatal(err)
	}
	if err := putSnapshot(t.Context(), swapping{s, other}, e, snap, SigningKey{}); err == nil || !strings.Contains(err.Error(), "not what was just stored") {
		t.Errorf("it returns %v", err)
	}
	if _, err := s.Stat(t.Context(), snapshotName(e.kid, snap.ID)); err == nil {
		t.Error("the other manifest is kept")
	}
	if err := putSnapshot(t.Context(), s, e, snap, SigningKey{}); err != nil {
		t.Error(err)
	}
}

package repository

import (
	"context"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/repository/storagetest"
	"github.com/lmsvault/vault/core/stage"
)

// Finish stores no snapshot if the lock was lost, because there may be another writer.
func TestFinishNeedsTheLock(t *testing.T) {
	s := storagetest.NewShelf()
	sink := NewSink(s, SinkConfig{Create: true})
	plan := &stage.Plan{Pipeline: "nightly"}
	if err := sink.Begin(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), sink.lock.Name); err != nil {
		t.Fatal(err)
	}
	if err := sink.Finish(t.Context(), &stage.Outcome{}); err == nil || !strings.Contains(err.Error(), "lock was deleted by another process") {
		t.Errorf("Finish: %v", err)
	}
	if err := s.List(t.Context(), object.SnapshotDir, func(o stage.Object) error {
		t.Errorf("%s exists", o.Name)
		return nil
	}); err != nil {
		t.Error(err)
	}
	if err := sink.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// swapping is a storage that replaces the manifest it is given by another one.
type swapping struct {
	*storagetest.Shelf
	other []byte
}

func (s swapping) Put(ctx context.Context, name string, data []byte) error {
	if strings.HasPrefix(name, object.SnapshotDir) {
		data = s.other
	}
	return s.Shelf.Put(ctx, name, data)
}

// Finish fails if the stored manifest is valid, but is not the one that was written.
func TestManifestIsComparedAfterWriting(t *testing.T) {
	s, made := storagetest.NewShelf(), &target{}
	snap := &manifest.Snapshot{Format: object.Format, ID: "20260101-000000-00000000", Pipeline: "nightly"}
	if err := made.createRoot(t.Context(), s, snap.Start); err != nil {
		t.Fatal(err)
	}
	e, err := made.create(t.Context(), s, nil, snap.Start)
	if err != nil {
		t.Fatal(err)
	}
	other, err := e.SealObject(t.Context(), []byte(`{"format":1,"id":"20260101-000000-00000000"}`), e.BlobName("snapshot", snap.ID))
	if err != nil {
		t.Fatal(err)
	}
	if err := manifest.PutSnapshot(t.Context(), swapping{s, other}, e, snap, manifest.SigningKey{}); err == nil || !strings.Contains(err.Error(), "it differs from what was stored") {
		t.Errorf("got %v", err)
	}
	if _, err := s.Stat(t.Context(), object.SnapshotName(e.KID, snap.ID)); err == nil {
		t.Error("the other manifest was kept")
	}
	if err := manifest.PutSnapshot(t.Context(), s, e, snap, manifest.SigningKey{}); err != nil {
		t.Error(err)
	}
}

package repository

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/repository/pack"
	"github.com/lmsvault/vault/core/repository/storagetest"
	"github.com/lmsvault/vault/core/stage"
)

// A writer that has lost its lock stops writing before Finish.
func TestLostLockStopsTheWriter(t *testing.T) {
	s := storagetest.NewShelf()
	sink := NewSink(s, SinkConfig{Create: true})
	if err := sink.Begin(t.Context(), &stage.Plan{}); err != nil {
		t.Fatal(err)
	}
	store := func(data string) error {
		_, err := sink.chunks.Store(t.Context(), pack.ContentBlob, []byte(data))
		return err
	}
	if err := store("while it is held"); err != nil {
		t.Error(err)
	}
	if err := s.Delete(t.Context(), sink.lock.Name); err != nil {
		t.Fatal(err)
	}
	if err := sink.lock.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	keeping := sink.lock
	keeping.Every = time.Millisecond
	keeping.Keep(t.Context()) // detects the loss at the next tick
	if err := store("afterwards"); err == nil || !strings.Contains(err.Error(), "lock was lost") {
		t.Errorf("stored: %v", err)
	}
	if err := errors.Join(sink.Abort(t.Context()), sink.Close(t.Context())); err != nil {
		t.Error(err)
	}
	for name := range s.Objects {
		if strings.HasPrefix(name, object.PacksDir) {
			t.Errorf("%s was stored", name)
		}
	}
}

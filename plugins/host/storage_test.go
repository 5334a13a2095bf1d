package host_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/storages/local"
)

// Temporary errors and their delay, limits and existing objects are reported as in the same
// process.
func TestStorageOverProcess(t *testing.T) {
	h := newHost(t)
	busy, err := h.Isolate(rogueStage(), self(t)).NewStorage(t.Context(), &rogueConfig{Do: "busy"}, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	err = busy.Put(t.Context(), "x", nil)
	if after, ok := stage.IsTemporary(err); !ok || after != 1500*time.Millisecond || err.Error() != "object x: too many requests" {
		t.Errorf("error is %#v", err)
	}
	if l := busy.(stage.Limiter).Limits(); l.Connections != 7 {
		t.Errorf("preferred number of calls is %d, want 7", l.Connections)
	}
	if err := busy.(stage.Creator).Create(t.Context(), "x", nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("create in a storage without Create: %v", err)
	}
	if _, ok := busy.(stage.Capacity); ok {
		t.Error("a storage without Free is a Capacity")
	}
	disk, err := h.Isolate(local.Stage(), self(t)).NewStorage(t.Context(), &local.Config{Dir: filepath.Join(t.TempDir(), "new")}, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	create := func() error { return disk.(stage.Creator).Create(t.Context(), "lock", []byte("1")) }
	if err := create(); err != nil {
		t.Error(err)
	}
	err = create()
	if _, again := stage.IsTemporary(err); again || !errors.Is(err, stage.ErrExist) {
		t.Errorf("the second create: %v", err)
	}
}

// A lost process is a temporary error; the next call gets a new process.
func TestLostProcessIsTemporary(t *testing.T) {
	h := newHost(t)
	s, err := h.Isolate(rogueStage(), self(t)).NewStorage(t.Context(), &rogueConfig{Do: "kill", Once: filepath.Join(t.TempDir(), "once")}, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Put(t.Context(), "x", nil)
	if _, again := stage.IsTemporary(err); !again {
		t.Errorf("error is %v", err)
	}
	if err := s.Put(t.Context(), "x", nil); err != nil {
		t.Errorf("the next call: %v", err)
	}
}

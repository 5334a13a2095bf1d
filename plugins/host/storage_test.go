package host_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/storages/local"
)

// A storage of a plugin tells what it would tell here: that an error may pass and
// how long to wait, how many calls it likes, that an object exists.
func TestWhatAStorageTellsCrossesTheBorder(t *testing.T) {
	h := newHost(t)
	busy, err := h.Isolate(rogueStage(), self(t)).NewStorage(t.Context(), &rogueConfig{Do: "busy"}, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	err = busy.Put(t.Context(), "x", nil)
	if after, ok := stage.IsTemporary(err); !ok || after != 1500*time.Millisecond || err.Error() != "object x: too many requests" {
		t.Errorf("the error is %#v", err)
	}
	if l := busy.(stage.Limiter).Limits(); l.Connections != 7 {
		t.Errorf("it likes %d calls at once, want 7", l.Connections)
	}
	if err := busy.(stage.Creator).Create(t.Context(), "x", nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("create by a storage that can't: %v", err)
	}
	if _, ok := busy.(stage.Capacity); ok {
		t.Error("a storage that can't tell its room is a Capacity")
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

// That a process is lost in a call is a temporary error: the next call has another.
func TestALostProcessIsATemporaryError(t *testing.T) {
	h := newHost(t)
	s, err := h.Isolate(rogueStage(), self(t)).NewStorage(t.Context(), &rogueConfig{Do: "kill", Once: filepath.Join(t.TempDir(), "once")}, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Put(t.Context(), "x", nil)
	if _, again := stage.IsTemporary(err); !again {
		t.Errorf("the error is %v", err)
	}
	if err := s.Put(t.Context(), "x", nil); err != nil {
		t.Errorf("the next call: %v", err)
	}
}

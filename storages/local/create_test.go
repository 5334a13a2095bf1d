package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// Whether or not an object could be created, no temporary file remains.
func TestCreateLeavesNoTemporaryFile(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if err := s.Create(t.Context(), "lock", []byte("1")); err != nil {
		t.Fatal(err)
	}
	if err := s.Create(t.Context(), "lock", []byte("2")); !errors.Is(err, stage.ErrExist) {
		t.Errorf("the second: %v", err)
	}
	left, err := os.ReadDir(filepath.Join(dir, tempDir))
	if err != nil || len(left) > 0 {
		t.Errorf("tmp holds %v, %v", left, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "lock")); err != nil || info.Mode() != 0o600 {
		t.Errorf("the object is %v, %v", info, err)
	}
}

// A share whose server is unreachable may recover; a full or forbidden disk does not.
func TestOnlyTransientErrorsAreTemporary(t *testing.T) {
	s := open(t, t.TempDir())
	for _, e := range []error{syscall.ETIMEDOUT, syscall.EAGAIN, syscall.ESTALE, syscall.EHOSTDOWN, syscall.ENOSPC, syscall.EDQUOT, syscall.EACCES, syscall.EROFS, syscall.EIO, syscall.ENOENT} {
		_, got := stage.IsTemporary(s.explain(fmt.Errorf("x: %w", e)))
		if want := e == syscall.ETIMEDOUT || e == syscall.EAGAIN || e == syscall.ESTALE || e == syscall.EHOSTDOWN; got != want {
			t.Errorf("%v is temporary: %v", e, got)
		}
	}
}

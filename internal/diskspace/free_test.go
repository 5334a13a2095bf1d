package diskspace

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/lmsvault/vault/internal/machine"
)

// Writing a file reduces the free space.
func TestFileTakesSpace(t *testing.T) {
	dir := machine.Tmpfs(t, "1m")
	before, err := Free(dir)
	if err != nil || before.Bytes < 900<<10 || before.Bytes > 1<<20 || before.Inodes < 1 {
		t.Fatalf("%+v, %v", before, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), make([]byte, 512<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	after, err := Free(dir)
	if err != nil || after.Bytes != before.Bytes-512<<10 || after.Inodes != before.Inodes-1 {
		t.Errorf("%+v, %v", after, err)
	}
	if _, err := Free(filepath.Join(dir, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing directory: %v", err)
	}
}

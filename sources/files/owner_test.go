package files

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
)

// Each file has its owner on disk.
func TestOwners(t *testing.T) {
	dir := t.TempDir()
	mine, theirs := moodle.ContentPath(content(t, dir, []byte("mine"))), moodle.ContentPath(content(t, dir, []byte("theirs")))
	if os.Geteuid() == 0 {
		must(t, os.Chown(filepath.Join(dir, theirs), 4000, 5000))
	}
	items, _ := conformance.ReadAll(t, opened(t, dir))
	for _, path := range []string{mine, theirs} {
		if got, want := items["filedir/"+path].Entry.Owner, belongs(t, filepath.Join(dir, path)); got != want {
			t.Errorf("%s belongs to %+v, want %+v", path, got, want)
		}
	}
}

// belongs returns the owner of a file according to the system.
func belongs(t testing.TB, path string) stage.Owner {
	t.Helper()
	var st syscall.Stat_t
	must(t, syscall.Lstat(path, &st))
	return stage.Owner{Known: true, UID: st.Uid, GID: st.Gid}
}

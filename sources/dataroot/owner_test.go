package dataroot

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
)

// Each entry has its owner on disk, also a link.
func TestOwners(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	write(t, dir, "lang/de/file", "x")
	write(t, dir, "theirs", "x")
	write(t, elsewhere, "in", "x")
	must(t, os.Symlink("theirs", filepath.Join(dir, "link")))
	must(t, os.Symlink(elsewhere, filepath.Join(dir, "followed")))
	if os.Geteuid() == 0 {
		for i, path := range []string{"lang", "lang/de", "lang/de/file", "theirs", "link"} {
			must(t, os.Lchown(filepath.Join(dir, path), 4000+i, 5000+i))
		}
		must(t, os.Chown(elsewhere, 6000, 7000))
	}
	owners := map[string]stage.Owner{}
	for _, path := range []string{"lang", "lang/de", "lang/de/file", "theirs", "link"} {
		owners["dataroot/"+path] = belongs(t, filepath.Join(dir, path))
	}
	owners["dataroot/followed"] = belongs(t, elsewhere)
	items, _ := conformance.ReadAll(t, opened(t, &Config{Dir: dir, Follow: []string{"followed"}}))
	for path, want := range owners {
		if got := items[path].Entry.Owner; got != want {
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

package filetree

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/machine"
)

// An exchange and its undo, from a journal that was written and read back, give a
// directory that stays in place the owner, mode and time of each side.
func TestJournalSetsDirectoryOwners(t *testing.T) {
	machine.Root(t, "give files to other users")
	top := t.TempDir()
	for _, dir := range []string{"muc", SwapName + "/new/muc", SwapName + "/old"} {
		must(t, os.MkdirAll(filepath.Join(top, dir), 0o755))
	}
	must(t, os.WriteFile(filepath.Join(top, SwapName, "new/muc/f"), nil, 0o600))
	base, err := os.OpenRoot(top)
	must(t, err)
	t.Cleanup(func() { must(t, base.Close()) })
	before := dirState{"muc", 0o2750, time.Unix(1e9, 5), stage.Owner{Known: true, UID: 4000, GID: 5000}}
	after := dirState{"muc", 0o700, time.Unix(1e9+1, 6), stage.Owner{Known: true}}
	looks := func(want dirState) {
		t.Helper()
		info, err := base.Lstat("muc")
		must(t, err)
		if got := (dirState{"muc", Mode(info.Mode()), info.ModTime(), Owner(info)}); got != want {
			t.Errorf("the directory is %+v, want %+v", got, want)
		}
	}
	must(t, setDir(base, "muc", before))
	looks(before)
	j := &journal{moves: []move{{inNew("muc/f"), "muc/f"}}, before: []dirState{{path: "other"}, before}, after: []dirState{after}}
	must(t, j.perform(base))
	looks(after)
	must(t, base.Mkdir("other", 0o700))
	read, err := decodeJournal(string(j.encode()))
	must(t, err)
	must(t, read.undo(base))
	looks(before)
}

func TestJournalRejectsOwnerWithoutDirectory(t *testing.T) {
	for line, want := range map[string]string{"owner 1 2": "owner without a directory", "owner -1 2": "line 3", "owner 1": "line 3", "owner 4294967296 0": "line 3"} {
		_, err := decodeJournal(strings.Join([]string{journalHead, "target true true", line, "end", ""}, "\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", line, err, want)
		}
	}
}

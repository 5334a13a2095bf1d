package filetree

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/machine"
)

// A file system that accepts an owner but sets another one, as network shares do, is
// detected.
func TestOwnerIsVerified(t *testing.T) {
	dir := t.TempDir()
	mine := runner()
	look := func() (fs.FileInfo, error) { return os.Stat(dir) }
	must(t, belongs(mine, look))
	for _, want := range []stage.Owner{{Known: true, UID: mine.UID + 1, GID: mine.GID}, {Known: true, UID: mine.UID, GID: mine.GID + 1}} {
		if err := belongs(want, look); failure.Of(err) != failure.Unproven || !strings.Contains(err.Error(), "restore to a file system that keeps owners") {
			t.Errorf("%+v: %v", want, err)
		}
	}
}

func TestErrorOfSettingOwnerHasRemedy(t *testing.T) {
	for cause, remedy := range map[error]string{
		syscall.EPERM: "does not support owners", syscall.EOPNOTSUPP: "does not support owners",
		syscall.EINVAL: "a container has only some users", syscall.EROFS: "set owner: user to restore without owners",
	} {
		err := notOwned(stage.Owner{Known: true, UID: 33, GID: 34}, &fs.PathError{Op: "chown", Path: "f", Err: cause})
		if !strings.Contains(err.Error(), "setting the owner to user 33 and group 34: chown f: "+cause.Error()) || !strings.Contains(err.Error(), remedy) {
			t.Errorf("%v, want %q", err, remedy)
		}
	}
}

// The most common owner is found among any number of owners, and is deterministic.
func TestCommonOwner(t *testing.T) {
	var o owners
	if got := o.common(); got != (stage.Owner{}) {
		t.Errorf("without owners: %+v", got)
	}
	for i := range uint32(maxOwners + 10) {
		o.add(stage.Owner{Known: true, UID: 9 - i%3, GID: i}, 1)
	}
	if got := o.common(); got != (stage.Owner{Known: true, UID: 7, GID: 2}) || len(o.known) != maxOwners {
		t.Errorf("with a tie: %+v, of %d", got, len(o.known))
	}
	var more owners
	more.add(stage.Owner{Known: true, UID: 9, GID: 0}, 2)
	more.add(stage.Owner{}, 5)
	o.merge(&more)
	if got := o.common(); got != (stage.Owner{Known: true, UID: 9}) || o.unknown != 5 {
		t.Errorf("most common: %+v, %d unknown", got, o.unknown)
	}
}

// A Publish that fails late has already changed the owner of the directory: Abort
// restores it.
func TestAbortRestoresOwnerOfDirectory(t *testing.T) {
	machine.Root(t, "give files to other users")
	for _, replace := range []stage.Replace{stage.ReplaceNothing, stage.ReplaceSwap} {
		dir := filepath.Join(t.TempDir(), "moodledata")
		made, err := NewSink(dir, t.TempDir(), Layout{
			Part:       "dataroot",
			Holds:      func(string) (bool, error) { return true, nil },
			Keeping:    func(string) Keeping { return Remove },
			Overwrites: func(string) bool { return false },
			Owners:     true,
		})
		must(t, err)
		s := made.(*Sink)
		must(t, s.Begin(t.Context(), &stage.Plan{Replace: replace}))
		w, err := s.WriteFiles(t.Context(), stage.Unit{})
		must(t, err)
		must(t, w.Open(t.Context(), stage.Entry{Path: "dataroot/a", Kind: stage.Dir, Mode: 0o700, Owner: stage.Owner{Known: true, UID: 33, GID: 34}}))
		must(t, w.Close(t.Context(), stage.Digest{}))
		_, err = w.Commit(t.Context())
		must(t, err)
		must(t, s.Finish(t.Context(), &stage.Outcome{}))
		looks := func(want stage.Owner) {
			t.Helper()
			info, err := os.Stat(dir)
			must(t, err)
			if got := Owner(info); got != want {
				t.Errorf("%s: the directory belongs to %+v, want %+v", replace, got, want)
			}
		}
		must(t, s.ownBase())
		looks(stage.Owner{Known: true, UID: 33, GID: 34})
		must(t, s.Abort(t.Context()))
		looks(runner())
		must(t, s.Close(t.Context()))
	}
}

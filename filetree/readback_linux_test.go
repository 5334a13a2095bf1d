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

// A file system that takes an owner and sets another one, as network shares do, is found out.
func TestOwnerIsReadBack(t *testing.T) {
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

func TestOwnerThatCannotBeSetHasARemedy(t *testing.T) {
	for cause, remedy := range map[error]string{
		syscall.EPERM: "does not support owners", syscall.EOPNOTSUPP: "does not support owners",
		syscall.EINVAL: "a container knows only some users", syscall.EROFS: "set owner: user to restore without owners",
	} {
		err := notOwned(stage.Owner{Known: true, UID: 33, GID: 34}, &fs.PathError{Op: "chown", Path: "f", Err: cause})
		if !strings.Contains(err.Error(), "giving it to user 33 and group 34: chown f: "+cause.Error()) || !strings.Contains(err.Error(), remedy) {
			t.Errorf("%v, want %q", err, remedy)
		}
	}
}

// The owner that most have is found for any number of owners, and is the same each time.
func TestCommonOwner(t *testing.T) {
	var o owners
	if got := o.common(); got != (stage.Owner{}) {
		t.Errorf("of none it is %+v", got)
	}
	for i := range uint32(maxOwners + 10) {
		o.add(stage.Owner{Known: true, UID: 9 - i%3, GID: i}, 1)
	}
	if got := o.common(); got != (stage.Owner{Known: true, UID: 7, GID: 2}) || len(o.known) != maxOwners {
		t.Errorf("of equally many it is %+v, of %d", got, len(o.known))
	}
	var more owners
	more.add(stage.Owner{Known: true, UID: 9, GID: 0}, 2)
	more.add(stage.Owner{}, 5)
	o.merge(&more)
	if got := o.common(); got != (stage.Owner{Known: true, UID: 9}) || o.unknown != 5 {
		t.Errorf("of most it is %+v, and %d have none", got, o.unknown)
	}
}

// A Publish that fails late has given the directory away already: Abort takes that back.
func TestAbortGivesTheDirectoryItsOwnerBack(t *testing.T) {
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

package filetree_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
	sinkdataroot "github.com/lmsvault/vault/sinks/dataroot"
	sinkfiles "github.com/lmsvault/vault/sinks/files"
)

func TestSetuidOfFilesIsNotRestored(t *testing.T) {
	for _, keep := range []bool{false, true} {
		t.Run(fmt.Sprint("keep ", keep), func(t *testing.T) {
			dir := t.TempDir()
			program := fileItem("dataroot/d/program", "x")
			program.Entry.Mode = 0o6755
			must(t, restore(t, datarootSink(t, sinkdataroot.Config{Dir: dir, Setuid: keep}), dirItem("dataroot/d", 0o2775), program))
			pool := t.TempDir()
			content := fileItem("filedir/"+poolFile, "x")
			content.Entry.Mode = 0o4750
			must(t, restore(t, filesSink(t, sinkfiles.Config{Dir: pool, Setuid: keep}), content))
			want := map[string]uint32{filepath.Join(dir, "d"): 0o2775, filepath.Join(dir, "d/program"): 0o755, filepath.Join(pool, poolFile): 0o750}
			if keep {
				want[filepath.Join(dir, "d/program")], want[filepath.Join(pool, poolFile)] = 0o6755, 0o4750
			}
			for path, mode := range want {
				info, err := os.Stat(path)
				must(t, err)
				if got := filetree.Mode(info.Mode()); got != mode {
					t.Errorf("%s has mode %o, want %o", filepath.Base(path), got, mode)
				}
			}
		})
	}
}

// Other users cannot read an unfinished directory.
func TestUnfinishedDirectoriesAreClosed(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o777))
	s := datarootSink(t, sinkdataroot.Config{Dir: dir})
	must(t, s.Begin(t.Context(), &stage.Plan{}))
	w, err := s.WriteFiles(t.Context(), stage.Unit{ID: "u"})
	must(t, err)
	for _, item := range []stage.Entry{dirItem("dataroot/open", 0o755).Entry, fileItem("dataroot/made/in/f", "").Entry} {
		must(t, w.Open(t.Context(), item))
		if item.Kind == stage.File {
			must(t, w.Drop(t.Context()))
			continue
		}
		must(t, w.Close(t.Context(), stage.Digest{}))
	}
	modes := func(want map[string]os.FileMode) {
		t.Helper()
		for name, mode := range want {
			info, err := os.Stat(filepath.Join(dir, name))
			must(t, err)
			if info.Mode().Perm() != mode {
				t.Errorf("%s has mode %v, want %v", name, info.Mode(), mode)
			}
		}
	}
	modes(map[string]os.FileMode{"open": 0o700, "made": 0o700, "made/in": 0o700})
	committed(t, w)
	modes(map[string]os.FileMode{"open": 0o700, "made": 0o700, "made/in": 0o700})
	must(t, s.Finish(t.Context(), &stage.Outcome{}))
	modes(map[string]os.FileMode{"open": 0o755, "made": 0o777, "made/in": 0o777})
	must(t, s.Publish(t.Context()))
	must(t, s.Close(t.Context()))
}

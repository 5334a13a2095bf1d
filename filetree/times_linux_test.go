package filetree_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lmsvault/vault/core/stage"
	sinkdataroot "github.com/lmsvault/vault/sinks/dataroot"
)

// holds reports whether the file system of the tests can store a time.
func holds(t *testing.T, at time.Time) bool {
	path := file(t, filepath.Join(t.TempDir(), "probe"), 0)
	ts := unix.Timespec{Sec: at.Unix(), Nsec: int64(at.Nanosecond())}
	must(t, unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{ts, ts}, 0))
	info, err := os.Stat(path)
	must(t, err)
	return info.ModTime().Equal(at)
}

// A far-off time is restored exactly, or listed as lost if the file system cannot
// store it; it never changes silently.
func TestFarTimesAreKeptOrLost(t *testing.T) {
	for _, at := range []time.Time{
		time.Date(1500, 1, 2, 3, 4, 5, 600, time.UTC), time.Date(1677, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1905, 6, 7, 8, 9, 10, 11, time.UTC),
		time.Date(2300, 1, 2, 3, 4, 5, 600, time.UTC), time.Date(2600, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(33658, 9, 27, 1, 46, 39, 0, time.UTC),
	} {
		dir := filepath.Join(t.TempDir(), "data")
		s := datarootSink(t, sinkdataroot.Config{Dir: dir})
		plan := &stage.Plan{}
		_, err := s.Check(t.Context(), plan)
		must(t, err)
		must(t, s.Begin(t.Context(), plan))
		w, err := s.WriteFiles(t.Context(), stage.Unit{ID: "u", Part: stage.Dataroot})
		must(t, err)
		for _, item := range []struct {
			stage.Entry
			stage.Digest
		}{
			{stage.Entry{Path: "dataroot/d", Kind: stage.Dir, Mode: 0o755, ModTime: at}, stage.Digest{}},
			{stage.Entry{Path: "dataroot/d/f", Kind: stage.File, Mode: 0o644, ModTime: at}, stage.Digest{SHA1: "da39a3ee5e6b4b0d3255bfef95601890afd80709"}},
		} {
			must(t, w.Open(t.Context(), item.Entry))
			must(t, w.Close(t.Context(), item.Digest))
		}
		receipt := committed(t, w)
		held := holds(t, at)
		lost := map[string]bool{}
		for _, l := range receipt.Losses {
			if l.Kind != stage.LossTime || l.Row != nil {
				t.Errorf("loss %+v", l)
			}
			lost[l.Path] = true
		}
		must(t, s.Finish(t.Context(), &stage.Outcome{}))
		must(t, s.Publish(t.Context()))
		must(t, s.Close(t.Context()))
		for _, path := range []string{"d", "d/f"} {
			info, err := os.Stat(filepath.Join(dir, path))
			must(t, err)
			if same := info.ModTime().Equal(at); same != held || lost["dataroot/"+path] == held {
				t.Errorf("%s of %v has %v, is lost: %v; the file system can store it: %v", path, at, info.ModTime().UTC(), lost["dataroot/"+path], held)
			}
		}
	}
}

package filetree

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lmsvault/vault/core/stage"
)

// After a failed sync nothing counts as durable, even if the next sync would succeed:
// the system reports a lost write only once.
func TestFailedSyncStaysFailed(t *testing.T) {
	dir := t.TempDir()
	s, err := NewSink(dir, t.TempDir(), Layout{
		Part:       "dataroot",
		Holds:      func(string) (bool, error) { return true, nil },
		Keeping:    func(string) Keeping { return Remove },
		Overwrites: func(string) bool { return false },
		Marks:      true,
	})
	must(t, err)
	must(t, s.Begin(t.Context(), &stage.Plan{}))
	disk := &s.(*Sink).disk
	first, err := s.WriteFiles(t.Context(), stage.Unit{})
	must(t, err)
	must(t, first.Open(t.Context(), stage.Entry{Path: "dataroot/a", Kind: stage.Dir, Mode: 0o700}))
	must(t, first.Close(t.Context(), stage.Digest{}))

	whole := disk.byDevice
	disk.byDevice = map[uint64]*os.File{0: closedFile(t)} // its sync fails
	disk.since.files = syncFiles
	if _, err := first.Commit(t.Context()); err == nil {
		t.Error("a unit was committed although its sync failed")
	}
	disk.byDevice = whole
	for _, f := range whole {
		must(t, unix.Syncfs(int(f.Fd())))
	}

	later, err := s.WriteFiles(t.Context(), stage.Unit{})
	must(t, err)
	if _, err := later.Commit(t.Context()); err == nil {
		t.Error("a later unit was committed")
	}
	if s.Finish(t.Context(), nil) == nil {
		t.Error("Finish returns no error")
	}
	if s.Publish(t.Context()) == nil {
		t.Error("Publish returns no error")
	}
	must(t, s.Close(t.Context()))
	if _, err := os.Lstat(filepath.Join(dir, MarkerName)); err != nil {
		t.Errorf("the marker is gone: %v", err)
	}
}

func closedFile(t *testing.T) *os.File {
	f, err := os.Open(t.TempDir())
	must(t, err)
	must(t, f.Close())
	return f
}

// A Publish that fails after removing the marker leaves no directory that looks
// complete: Abort marks it again.
func TestAbortMarksAgainAfterFailedPublish(t *testing.T) {
	dir := t.TempDir()
	s, err := NewSink(dir, t.TempDir(), Layout{
		Part:       "dataroot",
		Holds:      func(string) (bool, error) { return true, nil },
		Keeping:    func(string) Keeping { return Remove },
		Overwrites: func(string) bool { return false },
		Marks:      true,
	})
	must(t, err)
	must(t, s.Begin(t.Context(), &stage.Plan{}))
	must(t, s.Finish(t.Context(), nil))
	disk := &s.(*Sink).disk
	whole := disk.byDevice
	disk.byDevice = map[uint64]*os.File{0: closedFile(t)} // the sync after removing the marker fails
	if s.Publish(t.Context()) == nil {
		t.Error("Publish returns no error")
	}
	if _, err := os.Lstat(filepath.Join(dir, MarkerName)); err == nil {
		t.Fatal("the marker was not removed, so this tests nothing")
	}
	disk.byDevice = whole
	if s.Abort(t.Context()) == nil {
		t.Error("Abort returned no error after a failed sync")
	}
	must(t, s.Close(t.Context()))
	if part, found, err := (func() (string, bool, error) {
		root, err := os.OpenRoot(dir)
		must(t, err)
		defer root.Close()
		return markedAs(root, MarkerName)
	})(); err != nil || !found || part != "dataroot" {
		t.Errorf("the directory is not marked again: %q, %v, %v", part, found, err)
	}
}

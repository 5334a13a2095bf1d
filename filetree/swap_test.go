package filetree_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
	"github.com/lmsvault/vault/internal/machine"
	"github.com/lmsvault/vault/plugins/conformance"
	sinkdataroot "github.com/lmsvault/vault/sinks/dataroot"
	sinkfiles "github.com/lmsvault/vault/sinks/files"
	"golang.org/x/sys/unix"
)

// untouched checks that a directory has its original contents and nothing of Vault's.
func untouched(t testing.TB, dir string, before map[string]string) {
	t.Helper()
	if after := state(t, dir); !maps.Equal(before, after) {
		t.Errorf("the contents have changed: %v", differ(before, after))
	}
	for _, name := range []string{filetree.MarkerName, filetree.SwapName} {
		if isThere(t, filepath.Join(dir, name)) {
			t.Errorf("%s is left", name)
		}
	}
}

// Any failure before Publish leaves the old tree, whether the snapshot, the disk or
// an interrupt causes it.
func TestFailedSwapLeavesOldTree(t *testing.T) {
	for name, items := range map[string][]conformance.Item{
		"an entry that must not be restored":    {fileItem("dataroot/lang/f", "new"), fileItem("dataroot/cache/f", "x")},
		"an entry with a name of Vault's":       {fileItem("dataroot/lang/f", "new"), fileItem("dataroot/"+filetree.SwapName+"/f", "x")},
		"a link in a preserved path's way":      {fileItem("dataroot/lang2/f", "new"), linkItem("dataroot/lang", "lang2")},
		"a file in a kept directory's place":    {fileItem("dataroot/muc", "x")},
		"a directory in a kept file's place":    {fileItem("dataroot/muc/config.php/f", "x")},
		"a file twice":                          {fileItem("dataroot/f", "x"), fileItem("dataroot/f", "x")},
		"content that is not what was promised": {{Entry: stage.Entry{Path: "dataroot/f", Kind: stage.File}, Digest: stage.Digest{Bytes: 3, SHA256: "00"}}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := holding(t, "lang/mine/x", "muc/config.php", "old/f")
			before := state(t, dir)
			plan := &stage.Plan{Replace: stage.ReplaceSwap, Preserve: []string{"lang/mine"}}
			if err := restoreAs(t, datarootSink(t, sinkdataroot.Config{Dir: dir}), plan, items...); err == nil {
				t.Error("no error")
			}
			untouched(t, dir, before)
		})
	}
}

func TestFullDiskLeavesOldTree(t *testing.T) {
	dir := machine.Tmpfs(t, "2m")
	must(t, os.MkdirAll(filepath.Join(dir, "01/23"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, poolFile), []byte(strings.Repeat("x", 1<<20)), 0o600))
	before := state(t, dir)
	var items []conformance.Item
	for range 3 {
		items = append(items, fileItem("filedir/"+strings.Repeat("n", len(items)+1), strings.Repeat("x", 400_000)))
	}
	err := restoreAs(t, filesSink(t, sinkfiles.Config{Dir: dir}), swap, items...)
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk: %v", err)
	}
	untouched(t, dir, before)

	large := *swap
	large.Bytes = 1_500_000
	_, err = filesSink(t, sinkfiles.Config{Dir: dir}).Check(t.Context(), &large)
	if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "beside the existing files") || !strings.Contains(err.Error(), "set replace: in_place") {
		t.Errorf("not enough space for both: %v", err)
	}
	large.Replace = stage.ReplaceInPlace
	_, err = filesSink(t, sinkfiles.Config{Dir: dir}).Check(t.Context(), &large)
	must(t, err)
	// Remains of a killed restore are removed first, so they count as free space.
	must(t, os.MkdirAll(filepath.Join(dir, filetree.SwapName, "new"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, filetree.SwapName, "new", "f"), []byte(strings.Repeat("x", 900_000)), 0o600))
	small := *swap
	small.Bytes = 800_000
	_, err = filesSink(t, sinkfiles.Config{Dir: dir}).Check(t.Context(), &small)
	must(t, err)
}

// An exchange that fails halfway is undone: here something was mounted meanwhile.
func TestFailedExchangeIsUndone(t *testing.T) {
	machine.Root(t, "mount")
	dir := holding(t, "aaa/x", "lang/mine/x", "old/f", "zzz/x", "muc/x")
	must(t, os.Chown(filepath.Join(dir, "muc"), 4000, 5000))
	before := state(t, dir)
	s := datarootSink(t, sinkdataroot.Config{Dir: dir, Owner: "keep"})
	plan := &stage.Plan{Replace: stage.ReplaceSwap, Preserve: []string{"lang/mine"}}
	must(t, s.Begin(t.Context(), plan))
	w, err := s.WriteFiles(t.Context(), stage.Unit{ID: "u"})
	must(t, err)
	for _, e := range []stage.Entry{
		{Path: "dataroot/lang", Kind: stage.Dir, Mode: 0o500, Owner: stage.Owner{Known: true, UID: 4001, GID: 5001}},
		{Path: "dataroot/muc", Kind: stage.Dir, Mode: 0o711, Owner: stage.Owner{Known: true, UID: 4001, GID: 5001}},
		{Path: "dataroot/muc/sub", Kind: stage.Dir, Mode: 0o700},
	} {
		must(t, w.Open(t.Context(), e))
		must(t, w.Close(t.Context(), stage.Digest{}))
	}
	committed(t, w)
	must(t, s.Finish(t.Context(), &stage.Outcome{}))
	must(t, unix.Mount(filepath.Join(dir, "zzz"), filepath.Join(dir, "zzz"), "", unix.MS_BIND, ""))
	if err := s.Publish(t.Context()); err == nil {
		t.Error("a mount point was exchanged")
	}
	if !isThere(t, filepath.Join(dir, filetree.MarkerName)) {
		t.Error("the half-exchanged directory is not marked")
	}
	must(t, unix.Unmount(filepath.Join(dir, "zzz"), 0))
	must(t, s.Abort(t.Context()))
	untouched(t, dir, before)
	must(t, s.Close(t.Context()))
	untouched(t, dir, before)
}

func TestSwapRefusesMountPoints(t *testing.T) {
	machine.Root(t, "mount")
	dir := holding(t, "muc/x", "repository/big/x", "filedir/x")
	for _, name := range []string{"repository/big", "filedir"} {
		point := filepath.Join(dir, name)
		must(t, unix.Mount(t.TempDir(), point, "", unix.MS_BIND, ""))
		t.Cleanup(func() { must(t, unix.Unmount(point, 0)) })
	}
	check := func(p stage.Plan) error {
		_, err := datarootSink(t, sinkdataroot.Config{Dir: dir}).Check(t.Context(), &p)
		return err
	}
	if err := check(*swap); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), dir+"/repository/big is a mount point") {
		t.Errorf("a mount point in what is replaced: %v", err)
	}
	must(t, check(stage.Plan{Replace: stage.ReplaceSwap, Preserve: []string{"repository"}}))
	must(t, check(*inPlace))
}

// Foreign entries under Vault's own names are refused, not removed.
func TestForeignEntriesUnderVaultsNames(t *testing.T) {
	for name, holds := range map[string]string{
		"a directory as marker":     filetree.MarkerName + "/x",
		"a directory as old marker": filetree.RestoredName + "/x",
		"a file for the new tree":   filetree.SwapName,
		"files beside the new tree": filetree.SwapName + "/photos/x",
		"another part's":            filetree.SwapName + "/lock=part: filedir\n",
	} {
		for mode, plan := range replaces {
			dir := holding(t, "muc/x", holds)
			before := below(t, dir)
			s := datarootSink(t, sinkdataroot.Config{Dir: dir})
			if err := s.Begin(t.Context(), plan); err == nil {
				t.Errorf("%s, %s: no error", name, mode)
			}
			if _, err := s.Check(t.Context(), plan); failure.Of(err) != failure.Refused {
				t.Errorf("%s, %s: %v", name, mode, err)
			}
			must(t, s.Abort(t.Context()))
			must(t, s.Close(t.Context()))
			if after := below(t, dir); !maps.Equal(before, after) {
				t.Errorf("%s, %s: %v has become %v", name, mode, before, after)
			}
		}
	}
}

// The remains of a killed restore beside a tree are noted, excluded from backups, and
// removed.
func TestRemainsOfDeadSwap(t *testing.T) {
	dir := holding(t, poolFile)
	before := state(t, dir)
	s := filesSink(t, sinkfiles.Config{Dir: dir})
	must(t, s.Begin(t.Context(), swap))
	if _, err := filesSink(t, sinkfiles.Config{Dir: dir}).Check(t.Context(), swap); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "another restore is writing") {
		t.Errorf("beside another restore: %v", err)
	}
	must(t, s.Close(t.Context())) // without Abort, as after a crash
	for _, plan := range replaces {
		found, err := filesSink(t, sinkfiles.Config{Dir: dir}).Check(t.Context(), plan)
		must(t, err)
		if len(found.Notes) == 0 || !strings.Contains(found.Notes[0].Text, filetree.SwapName) {
			t.Errorf("notes are %q", found.Notes)
		}
	}
	again := filesSink(t, sinkfiles.Config{Dir: dir})
	must(t, again.Begin(t.Context(), swap))
	must(t, again.Abort(t.Context()))
	must(t, again.Close(t.Context()))
	untouched(t, dir, before)
}

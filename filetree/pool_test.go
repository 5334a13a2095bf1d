package filetree

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// pool writes a pool of these files, with their own names as content.
func pool(t *testing.T, dir string, files ...string) {
	t.Helper()
	for _, name := range files {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644))
	}
}

// Where a file system has no hard links, nothing is exposed, and the pools are exchanged.
func TestPoolIsExchangedWithoutHardLinks(t *testing.T) {
	for _, no := range []error{syscall.EPERM, syscall.EOPNOTSUPP, syscall.EMLINK} {
		dir := t.TempDir()
		pool(t, dir, "aa/bb/old", "cc/dd/both")
		sink, err := NewSink(dir, t.TempDir(), Layout{
			Part: stage.Filedir, Pool: true, Holds: func(string) (bool, error) { return true, nil }, Keeping: func(string) Keeping { return Remove },
			Overwrites: func(string) bool { return false }, Owns: func(*os.Root) (bool, error) { return true, nil },
		})
		must(t, err)
		s := sink.(*Sink)
		linked := 0
		s.hardLink = func(root *os.Root, from, to string) error {
			if linked++; linked > 1 { // the first succeeds, and must be taken back
				return &os.LinkError{Op: "link", Old: from, New: to, Err: no}
			}
			return root.Link(from, to)
		}
		must(t, s.Begin(t.Context(), &stage.Plan{Replace: stage.ReplaceSwap}))
		pool(t, filepath.Join(dir, SwapName, newName), "cc/dd/both", "cc/dd/new", "ee/ff/new", "ee/ff/newer")
		must(t, s.Finish(t.Context(), &stage.Outcome{}))
		must(t, s.Expose(t.Context(), "run"))
		if there, err := exists(s.base, "cc/dd/new"); there || err != nil || s.ready.Linked {
			t.Fatalf("%v: something was exposed (%v)", no, err)
		}
		must(t, s.Publish(t.Context()))
		for path, want := range map[string]bool{"aa": false, "cc/dd/both": true, "cc/dd/new": true, "ee/ff/new": true, "ee/ff/newer": true, SwapName: false, MarkerName: false} {
			if there, err := exists(s.base, path); there != want || err != nil {
				t.Errorf("%v: %s exists: %t, %v", no, path, there, err)
			}
		}
		must(t, s.Close(t.Context()))
	}
}

// Wherever an exchange stops, its journal completes it.
func TestJournalCompletesAnExchange(t *testing.T) {
	for done := range 5 {
		dir := t.TempDir()
		pool(t, dir, "kept/mine", "kept/old", "same", "gone", SwapName+"/new/kept/new", SwapName+"/new/same", SwapName+"/new/more")
		must(t, os.Mkdir(filepath.Join(dir, SwapName, oldName), 0o700))
		base, err := os.OpenRoot(dir)
		must(t, err)
		old := func(n string) string { return SwapName + "/" + oldName + "/" + n }
		j := &journal{moves: []move{{"same", old("0")}, {inNew("same"), "same"}, {"gone", old("1")}, {"kept/old", old("2")}, {inNew("kept/new"), "kept/new"}, {inNew("more"), "more"}}}
		for _, m := range j.moves[:done] {
			must(t, m.do(base))
		}
		for range 2 { // it can be repeated
			read, err := decodeJournal(string(j.encode()))
			must(t, err)
			must(t, read.resume(base))
		}
		for path, want := range map[string]string{"kept/mine": "kept/mine", "kept/new": SwapName + "/new/kept/new", "same": SwapName + "/new/same", "more": SwapName + "/new/more", "kept/old": "", "gone": ""} {
			text, err := base.ReadFile(path)
			if string(text) != want || (err == nil) != (want != "") {
				t.Errorf("after %d moves: %s holds %q, %v", done, path, text, err)
			}
		}
		must(t, base.Close())
	}
}

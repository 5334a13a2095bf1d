package filetree_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/moodle/maintenance"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
)

// exposed restores version "bb" over version "a" up to Expose, and returns the sink and what
// the directory held before.
func exposed(t *testing.T, part, dir string) (stage.FileSink, map[string]string) {
	t.Helper()
	s := published(t, part, dir, "a")
	must(t, s.Close(t.Context()))
	before := state(t, dir)
	s, err := killSink(part, dir)
	must(t, err)
	must(t, writeVersion(t.Context(), s, part, "bb"))
	must(t, s.(stage.Exposer).Expose(t.Context(), "run-2"))
	return s, before
}

func published(t *testing.T, part, dir, version string) stage.FileSink {
	t.Helper()
	s, err := killSink(part, dir)
	must(t, err)
	must(t, writeVersion(t.Context(), s, part, version))
	must(t, s.Publish(t.Context()))
	return s
}

// other is what another process has: a sink that knows nothing of the first one.
func other(t *testing.T, part, dir string) stage.Recoverer {
	t.Helper()
	s, err := killSink(part, dir)
	must(t, err)
	return s.(stage.Recoverer)
}

func parts(t *testing.T, do func(t *testing.T, part, dir string)) {
	for part, kept := range map[string][]string{
		stage.Dataroot: {"lang/mine/x", "d1/e/mine", "f7", "cache/c", "sessions/s", "filedir/" + poolFile, "muc/theirs"},
		stage.Filedir:  {"lost+found/x", poolFile},
	} {
		t.Run(part, func(t *testing.T) { do(t, part, holding(t, kept...)) })
	}
}

// While a pool is exposed it has all contents of the old site and of the new one.
func TestExposedPoolServesBothSites(t *testing.T) {
	dir := holding(t, poolFile)
	s, before := exposed(t, stage.Filedir, dir)
	for path, was := range before {
		if is := state(t, dir)[path]; is != was {
			t.Errorf("%q was %q and is %q", path, was, is)
		}
	}
	for _, i := range versionItems(stage.Filedir, "bb") {
		path := filepath.Join(dir, strings.TrimPrefix(i.Entry.Path, "filedir/"))
		if text, err := os.ReadFile(path); err != nil || string(text) != string(i.Content()) {
			t.Errorf("%s holds %q, %v", path, text, err)
		}
	}
	must(t, s.Publish(t.Context()))
	must(t, s.Close(t.Context()))
	whole(t, stage.Filedir, dir)
}

// whole requires that a directory is as a restore of version "bb" without Expose makes it.
func whole(t *testing.T, part, dir string) {
	t.Helper()
	want := holding(t, map[string][]string{
		stage.Dataroot: {"lang/mine/x", "d1/e/mine", "f7", "cache/c", "sessions/s", "filedir/" + poolFile, "muc/theirs"}, stage.Filedir: {"lost+found/x", poolFile},
	}[part]...)
	for _, version := range []string{"a", "bb"} {
		must(t, published(t, part, want, version).Close(t.Context()))
	}
	got := state(t, dir)
	for _, path := range differ(state(t, want), got) {
		if !strings.Contains(path, "lost+found") && !strings.Contains(path, "mine") && !strings.Contains(path, "f7") && !strings.Contains(path, `"muc/theirs"`) &&
			!strings.Contains(path, `"cache`) && !strings.Contains(path, `"sessions`) && !strings.Contains(path, `"filedir`) { // times of what was there before
			t.Error(path)
		}
	}
	if isThere(t, filepath.Join(dir, filetree.SwapName)) || isThere(t, filepath.Join(dir, filetree.MarkerName)) {
		t.Error("something is left")
	}
}

func TestAbortAfterExposeLeavesTheOldTree(t *testing.T) {
	parts(t, func(t *testing.T, part, dir string) {
		s, before := exposed(t, part, dir)
		must(t, s.Abort(t.Context()))
		must(t, s.Close(t.Context()))
		if d := differ(before, state(t, dir)); len(d) > 0 {
			t.Error(d)
		}
		if isThere(t, filepath.Join(dir, filetree.SwapName)) {
			t.Error("something is left")
		}
	})
}

// A run that died after Expose is completed or taken back by another process.
func TestExposedTreeIsCompletedOrTakenBack(t *testing.T) {
	parts(t, func(t *testing.T, part, dir string) {
		s, before := exposed(t, part, dir)
		must(t, s.Close(t.Context()))
		o := other(t, part, dir)
		if run, err := o.Exposed(t.Context()); run != "run-2" || err != nil {
			t.Fatalf("exposed is %q, %v", run, err)
		}
		must(t, o.Retract(t.Context()))
		if d := differ(before, state(t, dir)); len(d) > 0 {
			t.Fatal(d)
		}
		if run, err := o.Exposed(t.Context()); run != "" || err != nil {
			t.Errorf("exposed is %q, %v", run, err)
		}
		s, _ = exposed(t, part, dir)
		must(t, s.Close(t.Context()))
		o = other(t, part, dir)
		must(t, o.Complete(t.Context()))
		must(t, o.Complete(t.Context()))
		must(t, o.Settle(t.Context()))
		whole(t, part, dir)
	})
}

// A running restore is neither completed nor taken back.
func TestRunningRestoreIsNotRecovered(t *testing.T) {
	parts(t, func(t *testing.T, part, dir string) {
		s, _ := exposed(t, part, dir)
		o := other(t, part, dir)
		if _, err := o.Exposed(t.Context()); err == nil || !strings.Contains(err.Error(), "another restore is writing to") {
			t.Errorf("exposed: %v", err)
		}
		if err := o.Retract(t.Context()); err == nil {
			t.Error("it was taken back")
		}
		must(t, s.Publish(t.Context()))
		must(t, s.Close(t.Context()))
	})
}

// A begin of another run, which knows no databases, takes back what a dead one exposed.
func TestBeginTakesBackWhatWasExposed(t *testing.T) {
	parts(t, func(t *testing.T, part, dir string) {
		s, before := exposed(t, part, dir)
		must(t, s.Close(t.Context()))
		s, err := killSink(part, dir)
		must(t, err)
		must(t, s.Begin(t.Context(), killPlan(part)))
		must(t, s.Abort(t.Context()))
		must(t, s.Close(t.Context()))
		if d := differ(before, state(t, dir)); len(d) > 0 && !onlyClosed(d) {
			t.Error(d)
		}
	})
}

func onlyClosed(differences []string) bool {
	return len(differences) == 1 && strings.Contains(differences[0], maintenance.FileName)
}

// The data root is closed from Expose to Settle, also if its entry comes from a snapshot;
// what somebody else has closed stays closed.
func TestDataRootIsClosedFromExposeToSettle(t *testing.T) {
	closing := func(t *testing.T, dir string) string {
		root, err := os.OpenRoot(dir)
		must(t, err)
		defer root.Close()
		by, closed, err := maintenance.Closed(root)
		must(t, err)
		if closed && by == "" {
			return "somebody else"
		}
		return by
	}
	dir := holding(t, "filedir/"+poolFile)
	s, _ := exposed(t, stage.Dataroot, dir)
	if by := closing(t, dir); by != "restore run-2" {
		t.Errorf("after Expose it is closed by %q", by)
	}
	must(t, s.Publish(t.Context()))
	if by := closing(t, dir); by != "restore run-2" {
		t.Errorf("after Publish it is closed by %q", by)
	}
	if run, err := s.(stage.Recoverer).Exposed(context.Background()); run != "run-2" || err != nil {
		t.Errorf("exposed is %q, %v", run, err)
	}
	must(t, s.(stage.Exposer).Settle(t.Context()))
	must(t, s.Close(t.Context()))
	if by := closing(t, dir); by != "" {
		t.Errorf("after Settle it is closed by %q", by)
	}

	must(t, os.WriteFile(filepath.Join(dir, maintenance.FileName), []byte("Down."), 0o600))
	s, _ = exposed(t, stage.Dataroot, dir)
	must(t, s.Publish(t.Context()))
	must(t, s.(stage.Exposer).Settle(t.Context()))
	must(t, s.Close(t.Context()))
	if by := closing(t, dir); by != "somebody else" {
		t.Errorf("it is closed by %q", by)
	}
}

func TestClosingOfASnapshotIsNotRestored(t *testing.T) {
	dir := t.TempDir()
	s, err := killSink(stage.Dataroot, dir)
	must(t, err)
	must(t, s.Begin(t.Context(), &stage.Plan{}))
	w, err := s.WriteFiles(t.Context(), stage.Unit{ID: "u"})
	must(t, err)
	i := fileItem("dataroot/"+maintenance.FileName, "Down.")
	must(t, w.Open(t.Context(), i.Entry))
	must(t, w.Write(t.Context(), i.Content()))
	must(t, w.Close(t.Context(), i.Digest))
	_, err = w.Commit(t.Context())
	must(t, err)
	must(t, s.Finish(t.Context(), &stage.Outcome{}))
	must(t, s.Publish(t.Context()))
	notes, err := s.(stage.Noter).Notes(t.Context())
	must(t, err)
	if len(notes) != 1 || !strings.Contains(notes[0].Text, "not restored") || isThere(t, filepath.Join(dir, maintenance.FileName)) {
		t.Errorf("notes %v", notes)
	}
	must(t, s.Close(t.Context()))
}

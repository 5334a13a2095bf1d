package repository_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/stage"
)

// bigSite returns a site that fills several packs.
func bigSite() *site {
	s := sampleSite()
	for i := range 3 {
		s.files["dataroot/more/"+string(rune('a'+i))] = noise(byte(100+i), 7<<20)
	}
	return s
}

// If any Put fails, or the process crashes after it, the previous snapshot stays intact and
// no incomplete one appears. The next run stores only the missing content.
func TestEveryPutFails(t *testing.T) {
	before := newMemory()
	first := sampleSite()
	mustBackup(t, first, before, "secret")
	second := bigSite()
	whole := before.clone()
	mustBackup(t, second, whole, "secret")
	need := whole.bytes() - before.bytes()
	for _, crash := range []bool{false, true} {
		for n := 1; ; n++ {
			m := before.clone()
			m.fail, m.crash = n, crash
			_, err := backup(t.Context(), second, m, seals(t, "secret"))
			if err == nil {
				if n <= whole.puts {
					t.Errorf("the run succeeded although put %d failed", n)
				}
				break
			}
			if !errors.Is(err, errFault) {
				t.Fatalf("put %d: %v", n, err)
			}
			m.fail = 0
			if n%4 == 1 { // a restore takes long
				restore(t, m, "latest", "secret").sameAs(t, first)
			}
			if crash {
				for _, lock := range m.names("locks/") {
					delete(m.objects, lock) // the lock of this living process would be respected
				}
			} else if left := m.names("locks/"); len(left) > 0 {
				t.Errorf("put %d: locks remain: %v", n, left)
			}
			stored := m.bytes() - before.bytes()
			mustBackup(t, second, m, "secret")
			if n%4 == 1 {
				restore(t, m, "latest", "secret").sameAs(t, second)
				findings(t, m, "secret", 0)
			}
			// Directories of packs and an index may be stored twice.
			if over := m.bytes() - before.bytes() - need; over > 64<<10 {
				t.Errorf("put %d: the first run stored %d bytes, both runs %d, want about %d", n, stored, m.bytes()-before.bytes(), need)
			}
		}
	}
}

// Temporary errors of the storage are retried, also if the call took effect.
func TestFlakyStorageIsRetried(t *testing.T) {
	m, s := newMemory(), bigSite()
	m.flaky = 5
	mustBackup(t, s, m, "secret")
	restore(t, m, "latest", "secret").sameAs(t, s)
	findings(t, m, "secret", 0)
	if failed := m.calls / m.flaky; failed < 5 {
		t.Errorf("only %d calls failed, too few for this test", failed)
	}
	if left := m.names("locks/"); len(left) > 0 {
		t.Errorf("locks remain: %v", left)
	}
}

// If the first backup is interrupted, there is no repository or an empty one.
func TestFirstBackupFails(t *testing.T) {
	s := roundSite(0)
	for n := 1; ; n++ {
		m := newMemory()
		m.fail, m.crash = n, true
		if _, err := backup(t.Context(), s, m, seals(t, "secret")); err == nil {
			break
		}
		m.fail = 0
		for _, lock := range m.names("locks/") {
			delete(m.objects, lock)
		}
		if snaps := m.names("snapshots/"); len(snaps) > 0 {
			t.Fatalf("put %d: %v", n, snaps)
		}
		mustBackup(t, s, m, "secret")
		restore(t, m, "latest", "secret").sameAs(t, s)
	}
}

// Abort deletes the snapshot if its proof failed.
func TestAbortAfterFinish(t *testing.T) {
	m, s := newMemory(), sampleSite()
	sink := repository.NewSink(m, repository.SinkConfig{Transforms: seals(t, "secret"), Create: true})
	if err := sink.Begin(t.Context(), s.plan()); err != nil {
		t.Fatal(err)
	}
	if err := units(t.Context(), s, sink); err != nil {
		t.Fatal(err)
	}
	if err := sink.Finish(t.Context(), &stage.Outcome{}); err != nil {
		t.Fatal(err)
	}
	delete(m.objects, m.names("packs/")[0])
	if _, err := sink.Prove(t.Context()); err == nil || !strings.Contains(err.Error(), "packs/") {
		t.Errorf("Prove with a missing pack: %v", err)
	}
	if err := errors.Join(sink.Abort(t.Context()), sink.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	if left := m.names("snapshots/"); len(left) > 0 {
		t.Errorf("an unproven snapshot remains: %v", left)
	}
}

// Dropped entries and aborted units are not in the snapshot.
func TestDropAndAbort(t *testing.T) {
	m, s := newMemory(), &site{}
	sink := repository.NewSink(m, repository.SinkConfig{Transforms: seals(t, ""), Create: true})
	if err := sink.Begin(t.Context(), s.plan()); err != nil {
		t.Fatal(err)
	}
	unit := func(id string, fn func(w stage.FileUnit) error) {
		t.Helper()
		w, err := sink.WriteFiles(t.Context(), stage.Unit{ID: id, Part: stage.Dataroot})
		if err != nil {
			t.Fatal(err)
		}
		if err := fn(w); err != nil {
			t.Fatal(err)
		}
	}
	file := func(w stage.FileUnit, path, content string) error {
		return errors.Join(w.Open(t.Context(), stage.Entry{Path: "dataroot/" + path, Kind: stage.File}),
			w.Write(t.Context(), []byte(content)))
	}
	unit("a", func(w stage.FileUnit) error {
		return errors.Join(
			file(w, "one", "1"), w.Close(t.Context(), stage.Digest{Bytes: 1}),
			file(w, "dropped", "xx"), w.Drop(t.Context()),
			file(w, "two", "22"), w.Close(t.Context(), stage.Digest{Bytes: 2}),
			commit(t.Context(), w), w.Abort(t.Context()))
	})
	unit("b", func(w stage.FileUnit) error {
		return errors.Join(file(w, "aborted", "yy"), w.Close(t.Context(), stage.Digest{Bytes: 2}), w.Abort(t.Context()))
	})
	if err := errors.Join(sink.Finish(t.Context(), &stage.Outcome{}), sink.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	r := restore(t, m, "latest", "")
	if len(r.files) != 2 || string(r.files["dataroot/one"]) != "1" || string(r.files["dataroot/two"]) != "22" {
		t.Errorf("restored %q", r.files)
	}
}

// Two sinks that share transforms would both seal under the key of one of them. The other
// must not store a snapshot that can't be opened.
func TestSharedTransformsAreRefused(t *testing.T) {
	shared := seals(t, "secret")
	a, b := repository.NewSink(newMemory(), repository.SinkConfig{Transforms: shared, Create: true}), repository.NewSink(newMemory(), repository.SinkConfig{Transforms: shared, Create: true})
	plan := (&site{}).plan()
	if err := errors.Join(a.Begin(t.Context(), plan), b.Begin(t.Context(), plan)); err != nil {
		t.Fatal(err)
	}
	if err := a.Finish(t.Context(), &stage.Outcome{}); !errors.Is(err, stage.ErrCorrupt) || !strings.Contains(err.Error(), "needs its own transforms") {
		t.Errorf("the first sink, whose key was replaced: %v", err)
	}
	if err := errors.Join(b.Finish(t.Context(), &stage.Outcome{}), a.Close(t.Context()), b.Close(t.Context())); err != nil {
		t.Error(err)
	}
}

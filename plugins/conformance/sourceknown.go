package conformance

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

func fingerprints(got map[string]*recorder) (known stage.Baseline, without []string) {
	known = stage.Baseline{}
	for _, r := range got {
		for _, item := range r.items {
			if item.Entry.Kind != stage.File {
				continue
			}
			if known[item.Entry.Path] = item.Entry.Fingerprint; item.Entry.Fingerprint == "" {
				without = append(without, item.Entry.Path)
			}
		}
	}
	return known, without
}

// known reads with the fingerprints of a reading before, right ones and wrong ones.
func (f *SourceFixture) known(t testing.TB) {
	_, first := f.all(t, 1, nil)
	known, without := fingerprints(first)
	if f.AnySite && len(known) == len(without) {
		t.Skip("no file has a fingerprint")
	}
	odd := f.Losses[stage.LossCorrupt] + f.Losses[stage.LossChanged] // are read again every time
	for deadline := time.Now().Add(patience); int64(len(without)) > odd && !f.AnySite; {
		if time.Now().After(deadline) {
			t.Fatalf("files still have no fingerprint: %s", strings.Join(without, ", "))
		}
		_, first = f.all(t, 1, nil)
		known, without = fingerprints(first)
	}
	wrong := map[string]bool{}
	n := 0
	for path := range maps.Clone(known) {
		switch n++; n % 4 {
		case 0:
			known[path] += "0"
			wrong[path] = true
		case 1:
			delete(known, path)
			wrong[path] = true
		}
	}
	for _, path := range without {
		wrong[path] = true
	}
	_, second := f.all(t, 2, known)
	for _, r := range second {
		for _, item := range r.items {
			if item.Entry.Kind == stage.File && item.Same == wrong[item.Entry.Path] {
				r.errorf("%s is the same: %v, and its fingerprint is known: %v", item.Entry.Path, item.Same, !wrong[item.Entry.Path])
			}
		}
	}
	for id, r := range first {
		if len(r.items) != len(second[id].items) {
			t.Errorf("unit %s has %d entries when some are known, and %d else", id, len(second[id].items), len(r.items))
		}
	}
}

// nothingKnown: fingerprints of a source that gives none must not match anything.
func (f *SourceFixture) nothingKnown(t testing.TB) {
	_, first := f.all(t, 1, nil)
	known := stage.Baseline{}
	for _, r := range first {
		for _, item := range r.items {
			known[item.Entry.Path] = ""
		}
	}
	_, second := f.all(t, 1, known)
	for id, r := range first {
		if !equal(r.items, second[id].items) {
			t.Errorf("unit %s: an empty fingerprint is taken for a match", id)
		}
	}
}

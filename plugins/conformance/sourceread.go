package conformance

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

func (f *SourceFixture) plan(t testing.TB) {
	s, inv := f.planned(t)
	f.close(t, s)
	tables := map[string]int{}
	for _, info := range inv.Tables {
		if _, double := tables[info.Schema.Name]; double {
			t.Errorf("table %s is planned twice", info.Schema.Name)
		}
		tables[info.Schema.Name] = 0
	}
	ids := map[string]bool{}
	for _, u := range inv.Units {
		if u.ID == "" || ids[u.ID] {
			t.Errorf("unit ID %q is empty or used twice", u.ID)
		}
		ids[u.ID] = true
		if !slices.Contains(f.Parts, u.Part) {
			t.Errorf("unit %s has part %q, the source declares %q", u.ID, u.Part, f.Parts)
		}
		if u.Rows < 0 || u.Bytes < 0 {
			t.Errorf("unit %s has negative estimates", u.ID)
		}
		if _, ok := tables[u.Table]; ok != (u.Part == stage.DB) {
			t.Errorf("unit %s of part %s names the table %q", u.ID, u.Part, u.Table)
		} else if ok {
			tables[u.Table]++
		}
	}
	for name, units := range tables {
		if units == 0 {
			t.Errorf("table %s has no unit", name)
		}
	}
	for _, part := range f.Parts {
		if part != stage.DB && !slices.ContainsFunc(inv.Units, func(u stage.Unit) bool { return u.Part == part }) {
			t.Errorf("part %s has no unit", part)
		}
	}
	for _, l := range inv.Losses {
		if err := checkLoss(l); err != nil {
			t.Error(err)
		}
	}
	s, again := f.planned(t)
	f.close(t, s)
	if a, b := keys(inv.Units), keys(again.Units); !slices.Equal(a, b) {
		t.Errorf("the units of a second plan differ:\n%q\n%q", a, b)
	}
}

func keys(units []stage.Unit) (all []string) {
	for _, u := range units {
		all = append(all, u.ID+" "+u.Spec)
	}
	slices.Sort(all)
	return all
}

func (f *SourceFixture) read(t testing.TB) {
	inv, got := f.all(t, 1, nil)
	seen := map[string]string{}
	losses := map[stage.LossKind]int64{}
	for _, l := range inv.Losses {
		losses[l.Kind] += l.Count
	}
	for id, r := range got {
		for _, l := range r.losses {
			losses[l.Kind] += l.Count
		}
		for _, item := range r.items {
			if item.Same {
				r.errorf("Same called for %s without a baseline", item.Entry.Path)
			}
			if other, ok := seen[item.Entry.Path]; ok && item.Entry.Kind != stage.Table {
				t.Errorf("%s is in the units %s and %s", item.Entry.Path, other, id)
			}
			seen[item.Entry.Path] = id
		}
	}
	if !f.AnySite && !maps.Equal(losses, f.Losses) && len(losses)+len(f.Losses) > 0 {
		t.Errorf("losses %v, want %v", losses, f.Losses)
	}
}

func (f *SourceFixture) concurrent(t testing.TB) {
	_, one := f.all(t, 1, nil)
	_, many := f.all(t, 4, nil)
	for id, r := range one {
		if many[id] == nil || !equal(r.items, many[id].items) {
			t.Errorf("unit %s differs when read concurrently", id)
		}
	}
}

// equal compares everything except fingerprints, which may appear later, chunk by chunk.
func equal(a, b []Item) bool {
	return slices.EqualFunc(a, b, func(a, b Item) bool {
		a.Entry.Fingerprint, b.Entry.Fingerprint = "", ""
		a.Entry.ModTime, b.Entry.ModTime = a.Entry.ModTime.UTC(), b.Entry.ModTime.UTC()
		return a.Entry == b.Entry && a.Digest == b.Digest && a.Same == b.Same &&
			slices.EqualFunc(a.Chunks, b.Chunks, func(a, b stage.Chunk) bool { return a.Rows == b.Rows && string(a.Data) == string(b.Data) })
	})
}

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

// known reads with the fingerprints of an earlier read, some of them changed.
func (f *SourceFixture) known(t testing.TB) {
	_, first := f.all(t, 1, nil)
	known, without := fingerprints(first)
	if f.AnySite && len(known) == len(without) {
		t.Skip("no file has a fingerprint")
	}
	odd := f.Losses[stage.LossCorrupt] + f.Losses[stage.LossChanged] // they are read again every time
	for deadline := time.Now().Add(grace); int64(len(without)) > odd && !f.AnySite; {
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
				r.errorf("%s reported as the same: %v, fingerprint known: %v", item.Entry.Path, item.Same, !wrong[item.Entry.Path])
			}
		}
	}
	for id, r := range first {
		if len(r.items) != len(second[id].items) {
			t.Errorf("unit %s has %d entries with a baseline, %d without", id, len(second[id].items), len(r.items))
		}
	}
}

// nothingKnown checks that an empty fingerprint in the baseline matches nothing.
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
			t.Errorf("unit %s: an empty fingerprint matches", id)
		}
	}
}

// count compares the results of a stage.Counter with the rows read concurrently.
func (f *SourceFixture) count(t testing.TB) {
	s, inv := f.planned(t)
	defer f.close(t, s)
	counter, ok := s.(stage.Counter)
	if !ok {
		return
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	read, counted := map[string]int64{}, map[string]int64{}
	for _, u := range inv.Units {
		if u.Part != stage.DB {
			continue
		}
		wg.Go(func() {
			n := f.readUnit(t, s, inv, u, nil).rows()
			mu.Lock()
			defer mu.Unlock()
			read[u.Table] += n
		})
	}
	for _, info := range inv.Tables {
		wg.Go(func() {
			n, err := counter.Count(t.Context(), info.Schema.Name)
			if err != nil {
				t.Errorf("counting table %s: %v", info.Schema.Name, err)
				n = -1
			}
			mu.Lock()
			defer mu.Unlock()
			counted[info.Schema.Name] = n
		})
	}
	wg.Wait()
	for name, n := range counted {
		if n != -1 && n != read[name] {
			t.Errorf("table %s: %d rows counted, %d read", name, n, read[name])
		}
		if again, err := counter.Count(t.Context(), name); again != n || err != nil {
			t.Errorf("table %s: counted a second time it has %d rows, %v, instead of %d", name, again, err, n)
		}
	}
	if n, err := counter.Count(t.Context(), "a table that is not planned"); err == nil {
		t.Errorf("counting a table that is not in the plan: %d rows without an error", n)
	}
}

// rows returns the number of rows of the unit, including lost ones.
func (r *recorder) rows() (n int64) {
	for _, item := range r.items {
		for _, c := range item.Chunks {
			n += int64(c.Rows)
		}
	}
	for _, l := range r.losses {
		if l.Kind == stage.LossRow {
			n += max(l.Count, 1)
		}
	}
	return n
}

// cancelledCount calls Count with a cancelled context.
func (f *SourceFixture) cancelledCount(t testing.TB) {
	s, inv := f.planned(t)
	defer f.close(t, s)
	counter, ok := s.(stage.Counter)
	if !ok || len(inv.Tables) == 0 {
		return
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := counter.Count(ctx, inv.Tables[0].Schema.Name); !errors.Is(err, context.Canceled) {
		t.Errorf("count with a cancelled context: %d rows, %v", n, err)
	}
}

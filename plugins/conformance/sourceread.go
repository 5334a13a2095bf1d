package conformance

import (
	"maps"
	"slices"
	"testing"

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
			t.Errorf("unit id %q is empty or taken", u.ID)
		}
		ids[u.ID] = true
		if !slices.Contains(f.Parts, u.Part) {
			t.Errorf("unit %s is of part %q, the source gives %q", u.ID, u.Part, f.Parts)
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
				r.errorf("%s is said to be the same, and nothing is known", item.Entry.Path)
			}
			if other, ok := seen[item.Entry.Path]; ok && item.Entry.Kind != stage.Table {
				t.Errorf("%s comes from the units %s and %s", item.Entry.Path, other, id)
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
			t.Errorf("unit %s is not the same when it is read beside others", id)
		}
	}
}

// equal compares all but fingerprints, which may come later, chunk by chunk.
func equal(a, b []Item) bool {
	return slices.EqualFunc(a, b, func(a, b Item) bool {
		a.Entry.Fingerprint, b.Entry.Fingerprint = "", ""
		a.Entry.ModTime, b.Entry.ModTime = a.Entry.ModTime.UTC(), b.Entry.ModTime.UTC()
		return a.Entry == b.Entry && a.Digest == b.Digest && a.Same == b.Same &&
			slices.EqualFunc(a.Chunks, b.Chunks, func(a, b stage.Chunk) bool { return a.Rows == b.Rows && string(a.Data) == string(b.Data) })
	})
}

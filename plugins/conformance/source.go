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

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// SourceFixture is a small site and how to open a source on it.
type SourceFixture struct {
	// Open makes a source on the same site every time. It should hold a few
	// tables or files, also empty ones, and one of several chunks. Nothing in it
	// may change while the suite runs. The suite closes the source.
	Open func(t testing.TB) stage.Source
	// Parts are those that the source gives.
	Parts []string
	// Losses is how many losses planning and reading it report, by kind.
	Losses map[stage.LossKind]int64
	// Fingerprints tells that the source gives files a fingerprint, sooner or
	// later: one that changed just now may have none yet.
	Fingerprints bool
}

// Source tests a source.
func Source(t *testing.T, f SourceFixture) {
	t.Run("plan", func(t *testing.T) { f.plan(t) })
	t.Run("read", func(t *testing.T) { f.read(t) })
	t.Run("concurrent reads", func(t *testing.T) { f.concurrent(t) })
	t.Run("writer's error", func(t *testing.T) { f.writerError(t) })
	t.Run("cancelled", func(t *testing.T) { f.cancelled(t) })
	t.Run("close without plan", func(t *testing.T) { leakless(t, func() { f.close(t, f.Open(t)) }) })
	if f.Fingerprints {
		t.Run("known", func(t *testing.T) { f.known(t) })
	} else {
		t.Run("nothing is known", func(t *testing.T) { f.nothingKnown(t) })
	}
}

func (f *SourceFixture) close(t testing.TB, s stage.Source) {
	t.Helper()
	if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("close: %v", err)
	}
}

// planned opens a source and plans.
func (f *SourceFixture) planned(t testing.TB) (stage.Source, *stage.Inventory) {
	t.Helper()
	s := f.Open(t)
	inv, err := s.Plan(t.Context())
	if err != nil {
		f.close(t, s)
		t.Fatalf("plan: %v", err)
	}
	return s, inv
}

func (f *SourceFixture) plan(t *testing.T) {
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

func (f *SourceFixture) recorder(t testing.TB, inv *stage.Inventory, u stage.Unit) *recorder {
	r := &recorder{t: t, unit: u}
	for i := range inv.Tables {
		if u.Part == stage.DB && inv.Tables[i].Schema.Name == u.Table {
			r.table = &inv.Tables[i].Schema
		}
	}
	if u.Part == stage.DB && r.table == nil {
		r.table = &schema.Table{}
	}
	return r
}

// readUnit reads a unit whole and checks it by itself.
func (f *SourceFixture) readUnit(t testing.TB, s stage.Source, inv *stage.Inventory, u stage.Unit, known stage.Known) *recorder {
	r := f.recorder(t, inv, u)
	if err := s.Read(t.Context(), u, known, r); err != nil {
		t.Errorf("reading unit %s: %v", u.ID, err)
	}
	if r.open {
		r.errorf("%s is left open", r.last().Entry.Path)
	}
	if u.Part == stage.DB && (len(r.items) != 1 || r.items[0].Entry.Path != stage.DB+"/"+u.Table) {
		r.errorf("a unit of rows opens its table once, this one opens %d entries", len(r.items))
	}
	return r
}

// all reads every unit of a fresh source, several at once.
func (f *SourceFixture) all(t testing.TB, readers int, known stage.Known) (*stage.Inventory, map[string]*recorder) {
	t.Helper()
	s, inv := f.planned(t)
	defer f.close(t, s)
	var mu sync.Mutex
	got := map[string]*recorder{}
	work := make(chan stage.Unit)
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			for u := range work {
				r := f.readUnit(t, s, inv, u, known)
				mu.Lock()
				got[u.ID] = r
				mu.Unlock()
			}
		})
	}
	for _, u := range inv.Units {
		work <- u
	}
	close(work)
	wg.Wait()
	return inv, got
}

func (f *SourceFixture) read(t *testing.T) {
	leakless(t, func() {
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
		if !maps.Equal(losses, f.Losses) && len(losses)+len(f.Losses) > 0 {
			t.Errorf("losses %v, want %v", losses, f.Losses)
		}
	})
}

func (f *SourceFixture) concurrent(t *testing.T) {
	_, one := f.all(t, 1, nil)
	leakless(t, func() {
		_, many := f.all(t, 4, nil)
		for id, r := range one {
			if !equal(r.items, many[id].items) {
				t.Errorf("unit %s is not the same when it is read beside others", id)
			}
		}
	})
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

// writerError fails each of the first calls of a unit in turn, each of a source
// of its own: an error ends the run.
func (f *SourceFixture) writerError(t *testing.T) {
	sentinel := errors.New("the target is full")
	_, whole := f.all(t, 1, nil)
	leakless(t, func() {
		const calls = 5
		for nth := 1; nth <= calls; nth++ {
			for id, before := range whole {
				if before.calls < nth {
					continue
				}
				s, inv := f.planned(t)
				u := inv.Units[slices.IndexFunc(inv.Units, func(u stage.Unit) bool { return u.ID == id })]
				r := f.recorder(t, inv, u)
				r.failAt, r.fail = nth, sentinel
				err := promptly(t, "a read whose writer failed", func() error { return s.Read(t.Context(), u, nil, r) })
				if err != sentinel {
					t.Errorf("unit %s: call %d fails with %q, and Read returns %q, not just that", u.ID, nth, sentinel, err)
				}
				f.close(t, s)
			}
		}
	})
}

func (f *SourceFixture) cancelled(t *testing.T) {
	leakless(t, func() {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s := f.Open(t)
		if err := promptly(t, "a plan that was cancelled", func() error { _, err := s.Plan(ctx); return err }); !errors.Is(err, context.Canceled) {
			t.Errorf("a plan that was cancelled before: %v", err)
		}
		f.close(t, s)
	})
	_, whole := f.all(t, 1, nil)
	leakless(t, func() {
		s, inv := f.planned(t)
		defer f.close(t, s)
		for _, u := range inv.Units {
			if whole[u.ID].calls == 0 {
				continue
			}
			ctx, cancel := context.WithCancel(t.Context())
			r := f.recorder(t, inv, u)
			r.before = func(ctx context.Context) error {
				cancel()
				<-ctx.Done()
				return ctx.Err()
			}
			err := promptly(t, "a read that was cancelled", func() error { return s.Read(ctx, u, nil, r) })
			if !errors.Is(err, context.Canceled) {
				t.Errorf("unit %s, cancelled while it was read: %v", u.ID, err)
			}
			cancel()
		}
	})
}

func fingerprints(got map[string]*recorder) (known stage.Known, without []string) {
	known = stage.Known{}
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
func (f *SourceFixture) known(t *testing.T) {
	_, first := f.all(t, 1, nil)
	known, without := fingerprints(first)
	odd := f.Losses[stage.LossCorrupt] + f.Losses[stage.LossChanged] // are read again every time
	for deadline := time.Now().Add(patience); int64(len(without)) > odd; {
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
func (f *SourceFixture) nothingKnown(t *testing.T) {
	_, first := f.all(t, 1, nil)
	known := stage.Known{}
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

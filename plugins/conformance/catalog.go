package conformance

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// CatalogFixture opens the catalog under test.
type CatalogFixture struct {
	// Open opens a new catalog with at least three snapshots, all of the same site and
	// pipeline, none damaged. The suite closes it.
	Open func(t testing.TB) stage.Catalog
}

// Catalog tests a catalog.
func Catalog(t *testing.T, open func(t testing.TB) stage.Catalog) {
	runAll(t, CatalogChecks(CatalogFixture{open}))
}

// CatalogChecks returns the checks of a catalog.
func CatalogChecks(f CatalogFixture) []Check {
	return []Check{
		f.check("catalog/list", "List returns every snapshot that the Choice matches once, newest first, and no other. A snapshot that is not listed is not restored when needed.", catalogList),
		f.check("catalog/describe", "Describe finds a snapshot by ID, by prefix and as latest, and fails if there is none. Restoring the wrong snapshot replaces a site with the wrong data.", catalogDescribe),
		f.check("catalog/open", "Open returns a source of exactly the selected snapshot, and closing it leaves the catalog open. The snapshot restored must be the one described.", catalogOpen),
		f.check("catalog/verify", "Verify finds no damage where there is none, and reports what it checked. A partial check must not look like a full one.", catalogVerify),
		f.check("catalog/dry-remove", "A dry run of Remove reports what would be removed and removes nothing. Looking first must not cost backups.", catalogDryRemove),
		f.check("catalog/remove", "Remove removes the selected snapshots and no other, and can be repeated. Removed snapshots do not reappear.", catalogRemove),
		f.check("catalog/keep", "A Keeper gets the snapshots of one site and pipeline, newest first, and those it keeps are kept. In any other order a policy would remove the newest.", catalogKeep),
		f.check("catalog/browse", "A Browser lists each entry once and returns its content, and an error of the callback stops it. This retrieves single files without a restore.", catalogBrowse),
	}
}

func (f CatalogFixture) check(id, why string, test func(t testing.TB, c stage.Catalog)) Check {
	return Check{ID: id, Why: why, Run: func(t testing.TB) {
		c := f.Open(t)
		test(t, c)
		must(t, "close", c.Close(t.Context()))
	}}
}

// listed returns the IDs of all snapshots, newest first.
func listed(t testing.TB, c stage.Catalog, want stage.Choice) []string {
	t.Helper()
	list, err := c.List(t.Context(), want)
	must(t, "list", err)
	var ids []string
	for _, l := range list {
		if l.Snapshot == nil || l.Err != nil || l.Snapshot.ID != l.ID {
			t.Fatalf("snapshot %s is listed as %+v with error %v", l.ID, l.Snapshot, l.Err)
		}
		ids = append(ids, l.ID)
	}
	return ids
}

func catalogList(t testing.TB, c stage.Catalog) {
	ids := listed(t, c, stage.Choice{})
	if len(ids) < 3 {
		t.Fatalf("%d snapshots are listed; the fixture must have at least three", len(ids))
	}
	if !slices.IsSortedFunc(ids, func(a, b string) int { return bytes.Compare([]byte(b), []byte(a)) }) || len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Errorf("the list %q is not newest first without duplicates", ids)
	}
	newest, err := c.Describe(t.Context(), stage.Choice{})
	must(t, "describe", err)
	if got := listed(t, c, stage.Choice{Pipeline: newest.Pipeline, Site: newest.Site}); !slices.Equal(got, ids) {
		t.Errorf("pipeline %q and site %q: listed %q, want %q", newest.Pipeline, newest.Site, got, ids)
	}
	if list, err := c.List(t.Context(), stage.Choice{Pipeline: "no such pipeline"}); failure.Of(err) != failure.Usage {
		t.Errorf("unknown pipeline: %d listed, error %v; want an error of class failure.Usage", len(list), err)
	}
}

func catalogDescribe(t testing.TB, c stage.Catalog) {
	ids := listed(t, c, stage.Choice{})
	for _, name := range []string{"", stage.Latest} {
		if s, err := c.Describe(t.Context(), stage.Choice{Snapshot: name}); err != nil || s.ID != ids[0] {
			t.Errorf("%q gives %+v (%v), want %s", name, s, err, ids[0])
		}
	}
	for _, id := range ids {
		for _, name := range []string{id, id[:len(id)-1]} {
			s, err := c.Describe(t.Context(), stage.Choice{Snapshot: name})
			if err != nil || s.ID != id {
				t.Errorf("%q gives %+v (%v), want %s", name, s, err, id)
				continue
			}
			var rows int64
			for _, table := range s.Tables {
				rows += table.Sum.Rows
			}
			if rows != s.Totals.Rows {
				t.Errorf("the tables of %s have %d rows, its totals %d", id, rows, s.Totals.Rows)
			}
		}
	}
	for _, want := range []stage.Choice{{Snapshot: "no-such-snapshot"}, {Snapshot: ids[0], Pipeline: "no such pipeline"}} {
		if s, err := c.Describe(t.Context(), want); failure.Of(err) != failure.Usage {
			t.Errorf("%+v gives %+v: %v, want an error of class failure.Usage", want, s, err)
		}
	}
}

func catalogOpen(t testing.TB, c stage.Catalog) {
	for _, id := range listed(t, c, stage.Choice{}) {
		s, err := c.Describe(t.Context(), stage.Choice{Snapshot: id})
		must(t, "describe", err)
		source, err := c.Open(t.Context(), stage.Choice{Snapshot: id})
		must(t, "open", err)
		inv, err := source.Plan(t.Context(), stage.PlanRequest{})
		must(t, "plan", err)
		if inv.Snapshot != id {
			t.Errorf("the source of %s reads %s", id, inv.Snapshot)
		}
		if len(inv.Tables) != len(s.Tables) {
			t.Errorf("%s has %d tables, its source plans %d", id, len(s.Tables), len(inv.Tables))
		}
		must(t, "closing the source", source.Close(t.Context()))
	}
	if len(listed(t, c, stage.Choice{})) == 0 {
		t.Error("no snapshots are listed after the sources were closed")
	}
}

func catalogVerify(t testing.TB, c stage.Catalog) {
	ids := listed(t, c, stage.Choice{})
	for _, test := range []struct {
		want    stage.Choice
		checked []string
	}{{stage.Choice{}, ids}, {stage.Choice{Snapshot: ids[1]}, ids[1:2]}} {
		v, err := c.Verify(t.Context(), stage.VerifyRequest{Want: test.want})
		must(t, "verify", err)
		if len(v.Damage) > 0 || len(v.Unreadable) > 0 {
			t.Errorf("intact snapshots reported as damaged: %+v, unreadable %+v", v.Damage, v.Unreadable)
		}
		var checked []string
		for _, s := range v.Checked {
			checked = append(checked, s.ID)
		}
		if !slices.Equal(checked, test.checked) || v.Snapshots != len(ids) {
			t.Errorf("%+v: checked %q of %d, want %q of %d", test.want, checked, v.Snapshots, test.checked, len(ids))
		}
	}
}

// removedIDs returns the IDs that Remove removes.
func removedIDs(t testing.TB, c stage.Catalog, r stage.RemoveRequest) []string {
	t.Helper()
	removed, err := c.Remove(t.Context(), r)
	must(t, "remove", err)
	var ids []string
	for _, s := range removed.Remove {
		ids = append(ids, s.ID)
	}
	return ids
}

func catalogDryRemove(t testing.TB, c stage.Catalog) {
	ids := listed(t, c, stage.Choice{})
	if got := removedIDs(t, c, stage.RemoveRequest{IDs: ids[1:2], DryRun: true}); !slices.Equal(got, ids[1:2]) {
		t.Errorf("%q would be removed, want %q", got, ids[1:2])
	}
	if got := listed(t, c, stage.Choice{}); !slices.Equal(got, ids) {
		t.Errorf("after a dry run %q remain of %q", got, ids)
	}
}

func catalogRemove(t testing.TB, c stage.Catalog) {
	ids := listed(t, c, stage.Choice{})
	if got := removedIDs(t, c, stage.RemoveRequest{IDs: ids[1:2]}); !slices.Equal(got, ids[1:2]) {
		t.Errorf("removed %q, want %q", got, ids[1:2])
	}
	left := slices.Delete(slices.Clone(ids), 1, 2)
	if got := listed(t, c, stage.Choice{}); !slices.Equal(got, left) {
		t.Errorf("%q remain, want %q", got, left)
	}
	if _, err := c.Remove(t.Context(), stage.RemoveRequest{IDs: ids[1:2]}); failure.Of(err) != failure.Usage {
		t.Errorf("removing a removed snapshot: %v, want an error of class failure.Usage", err)
	}
	if v, err := c.Verify(t.Context(), stage.VerifyRequest{}); err != nil || len(v.Damage) > 0 {
		t.Errorf("verify after a removal: %+v, %v", v, err)
	}
}

// keepFirst keeps the first snapshot of each call.
type keepFirst struct{ asked *[]string }

func (k keepFirst) Keep(ids []string, _ time.Time) [][]string {
	*k.asked = append(*k.asked, ids...)
	why := make([][]string, len(ids))
	why[0] = []string{"first"}
	return why
}

func (keepFirst) String() string { return "keep the first" }

func catalogKeep(t testing.TB, c stage.Catalog) {
	ids := listed(t, c, stage.Choice{})
	var asked []string
	removedIDs(t, c, stage.RemoveRequest{Keep: keepFirst{&asked}})
	if !slices.Equal(asked, ids) {
		t.Errorf("the keeper gets %q, want %q", asked, ids)
	}
	if got := listed(t, c, stage.Choice{}); !slices.Equal(got, ids[:1]) {
		t.Errorf("%q remain, want %q", got, ids[:1])
	}
}

func catalogBrowse(t testing.TB, c stage.Catalog) {
	b, ok := c.(stage.Browser)
	if !ok {
		t.Skip("the catalog is not a stage.Browser")
	}
	id := listed(t, c, stage.Choice{})[0]
	seen := map[string]bool{}
	var files []stage.StoredEntry
	must(t, "entries", b.Entries(t.Context(), id, func(e stage.StoredEntry) error {
		if seen[e.Path] || e.Kind == stage.Table {
			t.Errorf("unexpected entry %s of kind %s (listed before: %v)", e.Path, e.Kind, seen[e.Path])
		}
		if seen[e.Path] = true; e.Kind == stage.File {
			files = append(files, e)
		}
		return nil
	}))
	for _, e := range files {
		var content bytes.Buffer
		must(t, "cat", b.Cat(t.Context(), id, e.Path, &content))
		if int64(content.Len()) != e.Bytes {
			t.Errorf("%s has %d bytes, is listed with %d", e.Path, content.Len(), e.Bytes)
		}
	}
	if len(seen) > 0 {
		stop, calls := errors.New("stop"), 0
		err := b.Entries(t.Context(), id, func(stage.StoredEntry) error { calls++; return stop })
		if !errors.Is(err, stop) || calls != 1 {
			t.Errorf("after an error of the callback: %d calls in all, result %v", calls, err)
		}
	}
	if err := b.Cat(t.Context(), id, "dataroot/no such entry", &bytes.Buffer{}); failure.Of(err) != failure.Usage {
		t.Errorf("reading a missing entry: %v, want an error of class failure.Usage", err)
	}
}

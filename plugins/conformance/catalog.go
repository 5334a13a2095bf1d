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

// CatalogFixture opens catalogs.
type CatalogFixture struct {
	// Open opens a catalog of its own that keeps three snapshots or more, all of one
	// site and one pipeline, and none damaged. The suite closes it.
	Open func(t testing.TB) stage.Catalog
}

// Catalog tests what keeps snapshots.
func Catalog(t *testing.T, open func(t testing.TB) stage.Catalog) {
	runAll(t, CatalogChecks(CatalogFixture{open}))
}

// CatalogChecks lists the checks of a catalog.
func CatalogChecks(f CatalogFixture) []Check {
	return []Check{
		f.check("catalog/list", "List names every snapshot once, the newest first, and only those that a Choice matches: what is not listed is not restored when it is needed.", catalogList),
		f.check("catalog/describe", "Describe finds a snapshot by its ID, by the beginning of one, and the newest as latest, and says so where there is none: a restore of another snapshot than the one that is meant replaces a site with the wrong data.", catalogDescribe),
		f.check("catalog/open", "Open gives a source of just the snapshot that is named, and its end leaves the catalog open: what is restored is what was described.", catalogOpen),
		f.check("catalog/verify", "Verify finds no damage where none is, and says what it checked: a check that left something out must not pass for one of everything.", catalogVerify),
		f.check("catalog/dry-remove", "A dry run of Remove says what would go and removes nothing: who looks first must not lose backups by it.", catalogDryRemove),
		f.check("catalog/remove", "Remove removes the snapshots that are named and no other, and can be repeated: what is removed does not come back.", catalogRemove),
		f.check("catalog/keep", "A Keeper is asked for the snapshots of a site and pipeline, the newest first, and what it keeps stays: a policy that sees another order removes the newest.", catalogKeep),
		f.check("catalog/browse", "A Browser names each entry once and gives its content, and an error of the callback ends it: one file is got out of a backup without a restore.", catalogBrowse),
	}
}

func (f CatalogFixture) check(id, why string, test func(t testing.TB, c stage.Catalog)) Check {
	return Check{ID: id, Why: why, Run: func(t testing.TB) {
		c := f.Open(t)
		test(t, c)
		must(t, "close", c.Close(t.Context()))
	}}
}

// listed are the ids of all snapshots, the newest first.
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
		t.Fatalf("%d snapshots are listed, and the fixture is to have three", len(ids))
	}
	if !slices.IsSortedFunc(ids, func(a, b string) int { return bytes.Compare([]byte(b), []byte(a)) }) || len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Errorf("the list %q is not the newest first, each once", ids)
	}
	newest, err := c.Describe(t.Context(), stage.Choice{})
	must(t, "describe", err)
	if got := listed(t, c, stage.Choice{Pipeline: newest.Pipeline, Site: newest.Site}); !slices.Equal(got, ids) {
		t.Errorf("of pipeline %q and site %q are listed %q, want %q", newest.Pipeline, newest.Site, got, ids)
	}
	if list, err := c.List(t.Context(), stage.Choice{Pipeline: "no such pipeline"}); failure.Of(err) != failure.Usage {
		t.Errorf("of a pipeline that is not there are listed %d: %v, want an error of class failure.Usage", len(list), err)
	}
}

func catalogDescribe(t testing.TB, c stage.Catalog) {
	ids := listed(t, c, stage.Choice{})
	for _, name := range []string{"", stage.Latest} {
		if s, err := c.Describe(t.Context(), stage.Choice{Snapshot: name}); err != nil || s.ID != ids[0] {
			t.Errorf("%q is %+v (%v), want %s", name, s, err, ids[0])
		}
	}
	for _, id := range ids {
		for _, name := range []string{id, id[:len(id)-1]} {
			s, err := c.Describe(t.Context(), stage.Choice{Snapshot: name})
			if err != nil || s.ID != id {
				t.Errorf("%q is %+v (%v), want %s", name, s, err, id)
				continue
			}
			var rows int64
			for _, table := range s.Tables {
				rows += table.Sum.Rows
			}
			if rows != s.Totals.Rows {
				t.Errorf("the tables of %s have %d rows, and its totals say %d", id, rows, s.Totals.Rows)
			}
		}
	}
	for _, want := range []stage.Choice{{Snapshot: "no-such-snapshot"}, {Snapshot: ids[0], Pipeline: "no such pipeline"}} {
		if s, err := c.Describe(t.Context(), want); failure.Of(err) != failure.Usage {
			t.Errorf("%+v is %+v: %v, want an error of class failure.Usage", want, s, err)
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
			t.Errorf("%s has %d tables, and its source plans %d", id, len(s.Tables), len(inv.Tables))
		}
		must(t, "close of the source", source.Close(t.Context()))
	}
	if len(listed(t, c, stage.Choice{})) == 0 {
		t.Error("nothing is listed after the sources were closed")
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
			t.Errorf("damage in what is whole: %+v, unreadable %+v", v.Damage, v.Unreadable)
		}
		var checked []string
		for _, s := range v.Checked {
			checked = append(checked, s.ID)
		}
		if !slices.Equal(checked, test.checked) || v.Snapshots != len(ids) {
			t.Errorf("of %+v are checked %q of %d, want %q of %d", test.want, checked, v.Snapshots, test.checked, len(ids))
		}
	}
}

// removedIDs are what Remove removes.
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
		t.Errorf("a dry run leaves %q of %q", got, ids)
	}
}

func catalogRemove(t testing.TB, c stage.Catalog) {
	ids := listed(t, c, stage.Choice{})
	if got := removedIDs(t, c, stage.RemoveRequest{IDs: ids[1:2]}); !slices.Equal(got, ids[1:2]) {
		t.Errorf("%q is removed, want %q", got, ids[1:2])
	}
	left := slices.Delete(slices.Clone(ids), 1, 2)
	if got := listed(t, c, stage.Choice{}); !slices.Equal(got, left) {
		t.Errorf("%q is left, want %q", got, left)
	}
	if _, err := c.Remove(t.Context(), stage.RemoveRequest{IDs: ids[1:2]}); failure.Of(err) != failure.Usage {
		t.Errorf("a snapshot that is gone is removed: %v, want an error of class failure.Usage", err)
	}
	if v, err := c.Verify(t.Context(), stage.VerifyRequest{}); err != nil || len(v.Damage) > 0 {
		t.Errorf("after a removal: %+v, %v", v, err)
	}
}

// keepFirst keeps the first that it is asked for.
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
		t.Errorf("the keeper is asked for %q, want %q", asked, ids)
	}
	if got := listed(t, c, stage.Choice{}); !slices.Equal(got, ids[:1]) {
		t.Errorf("%q is left, want %q", got, ids[:1])
	}
}

func catalogBrowse(t testing.TB, c stage.Catalog) {
	b, ok := c.(stage.Browser)
	if !ok {
		t.Skip("it is not a stage.Browser")
	}
	id := listed(t, c, stage.Choice{})[0]
	seen := map[string]bool{}
	var files []stage.StoredEntry
	must(t, "entries", b.Entries(t.Context(), id, func(e stage.StoredEntry) error {
		if seen[e.Path] || e.Kind == stage.Table {
			t.Errorf("%s, a %s, is named, and was before: %v", e.Path, e.Kind, seen[e.Path])
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
			t.Errorf("%s has %d bytes, and is said to have %d", e.Path, content.Len(), e.Bytes)
		}
	}
	if len(seen) > 0 {
		stop, calls := errors.New("stop"), 0
		err := b.Entries(t.Context(), id, func(stage.StoredEntry) error { calls++; return stop })
		if !errors.Is(err, stop) || calls != 1 {
			t.Errorf("after an error the callback was called %d times in all, and it ended with %v", calls, err)
		}
	}
	if err := b.Cat(t.Context(), id, "dataroot/no such entry", &bytes.Buffer{}); failure.Of(err) != failure.Usage {
		t.Errorf("an entry that is not there: %v, want an error of class failure.Usage", err)
	}
}

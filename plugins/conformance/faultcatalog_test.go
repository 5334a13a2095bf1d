package conformance

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// faultyCatalog keeps snapshots in memory, correctly except for the named fault.
type faultyCatalog struct {
	fault string
	ids   []string // newest first
	open  bool
}

func catalogSuite(fault string) []Check {
	return CatalogChecks(CatalogFixture{Open: func(testing.TB) stage.Catalog {
		return &faultyCatalog{fault, []string{"20260103-000000-00000003", "20260102-000000-00000002", "20260101-000000-00000001"}, true}
	}})
}

const browsed = "dataroot/a"

func (c *faultyCatalog) snapshot(id string) *stage.Snapshot {
	s := &stage.Snapshot{ID: id, Pipeline: "nightly", Site: "s1", Totals: stage.Totals{Rows: 2}}
	s.Tables = []stage.SnapshotTable{{TableProof: stage.TableProof{Schema: schema.Table{Name: "t"}, Sum: rows.Sum{Rows: 2}}}}
	if c.fault == "forgets rows" {
		s.Totals.Rows = 3
	}
	return s
}

func (c *faultyCatalog) List(_ context.Context, want stage.Choice) ([]stage.Listed, error) {
	if !c.open {
		return nil, nil
	}
	var list []stage.Listed
	for _, id := range c.ids {
		if s := c.snapshot(id); want.Matches(s) {
			list = append(list, stage.Listed{ID: id, Snapshot: s})
		}
	}
	if len(list) == 0 && want.String() != "" && c.fault != "lists nothing silently" {
		return nil, failure.New(failure.Usage, "there is no snapshot of %s", want)
	}
	if c.fault == "lists the oldest first" {
		slices.Reverse(list)
	}
	return list, nil
}

func (c *faultyCatalog) Describe(_ context.Context, want stage.Choice) (*stage.Snapshot, error) {
	if want.Snapshot == "" || want.Snapshot == stage.Latest {
		return c.snapshot(c.ids[0]), nil
	}
	for _, id := range c.ids {
		if s := c.snapshot(id); strings.HasPrefix(id, want.Snapshot) && want.Matches(s) {
			return s, nil
		}
	}
	if c.fault == "returns the newest for any" {
		return c.snapshot(c.ids[0]), nil
	}
	return nil, failure.New(failure.Usage, "there is no snapshot %q", want.Snapshot)
}

func (c *faultyCatalog) Open(ctx context.Context, want stage.Choice) (stage.Source, error) {
	s, err := c.Describe(ctx, want)
	if c.fault == "opens the newest" {
		s = c.snapshot(c.ids[0])
	}
	return &catalogSource{c, s}, err
}

type catalogSource struct {
	c *faultyCatalog
	s *stage.Snapshot
}

func (s *catalogSource) Plan(context.Context, stage.PlanRequest) (*stage.Inventory, error) {
	inv := &stage.Inventory{Snapshot: s.s.ID}
	for _, t := range s.s.Tables {
		inv.Tables = append(inv.Tables, stage.TableInfo{Schema: t.Schema})
	}
	return inv, nil
}

func (s *catalogSource) Close(context.Context) error {
	s.c.open = s.c.fault != "closes with its source"
	return nil
}

func (c *faultyCatalog) Remove(_ context.Context, r stage.RemoveRequest) (*stage.Removed, error) {
	gone := r.IDs
	if len(gone) == 0 {
		asked := slices.Clone(c.ids)
		if c.fault == "asks for the oldest first" {
			slices.Reverse(asked)
		}
		for i, why := range r.Keep.Keep(asked, time.Now()) {
			if why == nil {
				gone = append(gone, asked[i])
			}
		}
	}
	removed := &stage.Removed{}
	for _, id := range gone {
		i := slices.Index(c.ids, id)
		if i < 0 && c.fault != "removes removed snapshots" {
			return nil, failure.New(failure.Usage, "there is no snapshot %q", id)
		}
		removed.Remove = append(removed.Remove, c.snapshot(id))
		switch {
		case c.fault == "removes all":
			c.ids = nil
		case i >= 0 && (!r.DryRun || c.fault == "removes in a dry run"):
			c.ids = slices.Delete(c.ids, i, i+1)
		}
	}
	return removed, nil
}

func (c *faultyCatalog) Verify(_ context.Context, r stage.VerifyRequest) (*stage.Verified, error) {
	v := &stage.Verified{Snapshots: len(c.ids)}
	for i, id := range c.ids {
		if r.Want.Snapshot == "" || r.Want.Snapshot == id {
			v.Checked = append(v.Checked, c.snapshot(id))
		}
		if c.fault == "checks one" && i == 0 {
			break
		}
	}
	return v, nil
}

func (c *faultyCatalog) Entries(_ context.Context, _ string, fn func(stage.StoredEntry) error) error {
	for _, path := range []string{browsed, "dataroot/b"} {
		if c.fault == "names an entry twice" {
			path = browsed
		}
		if err := fn(stage.StoredEntry{Entry: stage.Entry{Path: path, Kind: stage.File}, Bytes: 3}); err != nil && c.fault != "goes on after an error" {
			return err
		}
	}
	return nil
}

func (c *faultyCatalog) Cat(_ context.Context, id, path string, w io.Writer) error {
	if strings.Contains(path, " ") && c.fault != "accepts any entry" {
		return failure.New(failure.Usage, "snapshot %s has no entry %q", id, path)
	}
	text := "abc"
	if c.fault == "loses the end" {
		text = "ab"
	}
	_, err := fmt.Fprint(w, text)
	return err
}

func (c *faultyCatalog) Close(context.Context) error { return nil }

package repository

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/stage"
)

// Catalog implements stage.Browser and stage.Manifester for a repository. It owns the
// repository.
type Catalog struct {
	repo *Repository
	key  manifest.SigningKey

	mu   sync.Mutex
	last *manifest.Snapshot // loaded last; commands load the same snapshot several times
}

// NewCatalog returns a Catalog of a repository. key signs removals; the zero value signs
// nothing.
func NewCatalog(r *Repository, key manifest.SigningKey) *Catalog { return &Catalog{repo: r, key: key} }

// List returns the snapshots that c matches, newest first.
func (c *Catalog) List(ctx context.Context, want Choice) ([]stage.Listed, error) {
	list, err := c.repo.Snapshots(ctx)
	if err != nil {
		return nil, err
	}
	if list, err = selected(list, want); err != nil {
		return nil, err
	}
	slices.Reverse(list)
	return describeAll(list), nil
}

func describeAll(list []Listed) []stage.Listed {
	described := make([]stage.Listed, len(list))
	for i, l := range list {
		described[i] = stage.Listed{ID: l.ID, Err: l.Err}
		if l.Snapshot != nil {
			described[i].Snapshot = describe(l.Snapshot)
		}
	}
	return described
}

// Describe returns the snapshot that want selects, see Repository.Load.
func (c *Catalog) Describe(ctx context.Context, want Choice) (*stage.Snapshot, error) {
	snap, err := c.repo.Load(ctx, want)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = snap
	return describe(snap), nil
}

// load returns the snapshot with an ID. It caches the last one.
func (c *Catalog) load(ctx context.Context, id string) (*manifest.Snapshot, error) {
	c.mu.Lock()
	last := c.last
	c.mu.Unlock()
	if last != nil && last.ID == id {
		return last, nil
	}
	if _, err := c.Describe(ctx, Choice{Snapshot: id}); err != nil {
		return nil, err
	}
	return c.load(ctx, id)
}

// Open returns a source that reads the snapshot. It shares the open repository.
func (c *Catalog) Open(_ context.Context, want Choice) (stage.Source, error) {
	return &Source{repo: c.repo, shared: true, want: want}, nil
}

// Remove removes snapshots, see Repository.Forget.
func (c *Catalog) Remove(ctx context.Context, r stage.RemoveRequest) (*stage.Removed, error) {
	f, err := c.repo.Forget(ctx, ForgetRequest{Policy: r.Keep, Want: r.Of, IDs: r.IDs, Key: c.key, DryRun: r.DryRun})
	if err != nil {
		return nil, err
	}
	removed := &stage.Removed{Skipped: describeAll(f.Skipped)}
	for _, k := range f.Keep {
		removed.Keep = append(removed.Keep, stage.Kept{Snapshot: describe(k.Snapshot), Reasons: k.Reasons})
	}
	for _, s := range f.Remove {
		removed.Remove = append(removed.Remove, describe(s))
	}
	return removed, nil
}

// Verify verifies snapshots, see Repository.Verify and Repository.VerifySubset.
func (c *Catalog) Verify(ctx context.Context, r stage.VerifyRequest) (*stage.Verified, error) {
	var subset *Subset
	if r.Subset != "" {
		var err error
		if subset, err = ParseSubset(r.Subset); err != nil {
			return nil, failure.Wrap(failure.Usage, err)
		}
		if r.Want != (Choice{}) {
			return nil, failure.New(failure.Usage, "a part of the content is verified of the whole repository only")
		}
	}
	found, err := c.repo.verify(ctx, r.Want, subset, r.Report)
	if err != nil {
		return nil, err
	}
	list, err := c.repo.Snapshots(ctx)
	if err != nil {
		return nil, err
	}
	v := &stage.Verified{Damage: found, Snapshots: len(list)}
	for _, l := range slices.Backward(describeAll(list)) {
		switch {
		case r.Want.Snapshot != "" && r.Want.Snapshot != l.ID:
		case l.Snapshot == nil:
			v.Unreadable = append(v.Unreadable, l)
		case r.Want.Matches(l.Snapshot):
			v.Checked = append(v.Checked, l.Snapshot)
		}
	}
	return v, nil
}

// Entries lists the entries of a snapshot, see Repository.Entries.
func (c *Catalog) Entries(ctx context.Context, id string, fn func(stage.StoredEntry) error) error {
	snap, err := c.load(ctx, id)
	if err != nil {
		return err
	}
	return c.repo.Entries(ctx, snap, func(_ *manifest.Unit, it *manifest.Item) error {
		if it.Kind == stage.Table { // listed once for each unit
			return nil
		}
		return fn(stage.StoredEntry{Entry: it.Entry, Digest: it.Digest, Bytes: it.Bytes()})
	})
}

// Cat writes the content of an entry, see Repository.Cat.
func (c *Catalog) Cat(ctx context.Context, id, path string, w io.Writer) error {
	snap, err := c.load(ctx, id)
	if err != nil {
		return err
	}
	return c.repo.Cat(ctx, snap, path, w)
}

// Manifest returns the manifest of a snapshot, without secret facts.
func (c *Catalog) Manifest(ctx context.Context, id string) (json.RawMessage, error) {
	snap, err := c.load(ctx, id)
	if err != nil {
		return nil, err
	}
	public := *snap
	public.Facts = stage.PublicFacts(snap.Facts)
	raw, err := json.Marshal(&public)
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", id, err)
	}
	return raw, nil
}

// Close closes the repository.
func (c *Catalog) Close(ctx context.Context) error { return c.repo.Close(ctx) }

var (
	_ stage.Browser    = (*Catalog)(nil)
	_ stage.Manifester = (*Catalog)(nil)
)

// describe returns the public description of a manifest.
func describe(s *manifest.Snapshot) *stage.Snapshot {
	site := Site(s)
	d := &stage.Snapshot{
		ID: s.ID, Start: s.Start, End: s.End, Host: s.Host, Pipeline: s.Pipeline, Site: site.ID, SiteName: site.Name,
		Version: s.Version, Tags: s.Tags, Facts: stage.PublicFacts(s.Facts), Losses: s.Losses, Notes: s.Notes, Log: s.Log, Original: s.Original, Lacks: s.Lacks(), Totals: s.Totals,
		Parts: map[string]stage.Amount{},
	}
	if by, ok := s.Signer(); ok {
		d.Signer = by.String()
	}
	if n, ok := Skipped(s); ok {
		d.Skipped = &n
	}
	for _, t := range s.Tables {
		d.Tables = append(d.Tables, stage.SnapshotTable{TableProof: stage.TableProof{Schema: t.Schema, Sum: t.Proof}, Bytes: t.Bytes, Dropped: t.Dropped, Added: t.Added})
	}
	for _, u := range s.Units {
		sum := d.Parts[u.Part]
		sum.Rows += u.Proof.Rows
		sum.Files += u.Files
		sum.Bytes += u.Bytes
		d.Parts[u.Part] = sum
	}
	return d
}

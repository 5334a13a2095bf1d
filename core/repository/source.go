package repository

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/lmsvault/vault/core/repository/lock"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/repository/pack"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
)

// Source reads the rows and files of a snapshot.
type Source struct {
	storage stage.Storage // until Plan opens the repository
	chain   Chain
	want    Choice

	repo   *Repository
	shared bool       // repo belongs to a Catalog
	lock   *lock.Lock // from Plan to Close; nil if the storage can't be written
	snap   *manifest.Snapshot
	chunks *pack.ChunkReader

	selected selection.Selection
	filters  map[string]*selection.Filter // by table
}

// NewSource returns a source of the selected snapshot (see Repository.Load) in a storage,
// which it owns.
func NewSource(s stage.Storage, want Choice, chain Chain) *Source {
	return &Source{storage: s, chain: chain, want: want}
}

// Plan reads the manifest, and the entry lists if some files are excluded.
func (s *Source) Plan(ctx context.Context, r stage.PlanRequest) (*stage.Inventory, error) {
	var err error
	if !s.shared {
		storage := s.storage
		s.storage = nil // Open closes it on error
		if s.repo, err = Open(ctx, storage, s.chain); err != nil {
			return nil, err
		}
	}
	if s.lock, err = lock.AcquireShared(ctx, s.repo.storage); err != nil {
		return nil, err
	}
	if s.snap, err = s.repo.Load(ctx, s.want); err != nil {
		return nil, err
	}
	if s.chunks, err = s.repo.chunks(ctx, s.snap.KID); err != nil {
		return nil, err
	}
	inv := &stage.Inventory{Facts: maps.Clone(s.snap.Facts), Snapshot: s.snap.ID}
	if err := s.selectTables(r.Selection, inv); err != nil {
		return nil, err
	}
	if inv.Excluded, err = s.excludedFiles(ctx, inv.Excluded); err != nil {
		return nil, err
	}
	for i, u := range s.snap.Units {
		if _, out := s.selected.ExcludesTable(u.Table); out && u.Part == stage.DB {
			continue
		}
		unit := stage.Unit{ID: u.ID, Part: u.Part, Table: u.Table, Spec: strconv.Itoa(i), Rows: u.Entries, Bytes: u.Bytes}
		if u.Part == stage.DB {
			unit.Rows = u.Proof.Rows
			if s.filters[u.Table].None() {
				unit.Rows, unit.Bytes = 0, 0
			}
		}
		inv.Units = append(inv.Units, unit)
	}
	inv.Recorded = s.snap.Losses
	if n, ok := Skipped(s.snap); ok {
		inv.Notes = append(inv.Notes, n)
	}
	inv.Notes = append(inv.Notes, s.snap.Notes...)
	strays, err := strayNotes(ctx, s.repo.storage)
	inv.Notes = append(inv.Notes, strays...)
	return inv, err
}

// ReadRows writes a unit's rows. Damaged rows are written as a Loss that names the pack
// and the chunk; all others are restored.
func (s *Source) ReadRows(ctx context.Context, r stage.ReadRequest, w stage.RowWriter) error {
	unit, err := s.unit(r.Unit)
	if err != nil {
		return err
	}
	filter := s.filters[unit.Table]
	if filter.None() {
		return ctx.Err()
	}
	reader := &rowReader{chunks: s.chunks, unit: unit, w: w}
	if filter != nil {
		return readFiltered(ctx, reader, filter)
	}
	return readList(ctx, s.chunks, unit, func(it *manifest.Item) error { return reader.table(ctx, it) }, func(d *object.Damage) error { return reader.listLost(ctx, d) })
}

// ReadFiles writes a unit's entries. It handles damage like ReadRows.
func (s *Source) ReadFiles(ctx context.Context, r stage.ReadRequest, w stage.FileWriter) error {
	unit, err := s.unit(r.Unit)
	if err != nil {
		return err
	}
	reader := &fileReader{chunks: s.chunks, unit: unit, baseline: r.Baseline, selected: &s.selected, w: w}
	return readList(ctx, s.chunks, unit, func(it *manifest.Item) error { return reader.item(ctx, it) }, func(d *object.Damage) error { return reader.listLost(ctx, d) })
}

func (s *Source) unit(u stage.Unit) (*manifest.Unit, error) {
	i, err := strconv.Atoi(u.Spec)
	if err != nil || s.snap == nil || i < 0 || i >= len(s.snap.Units) {
		return nil, fmt.Errorf("unit %s with spec %q is not of this snapshot's plan", u.ID, u.Spec)
	}
	return &s.snap.Units[i], nil
}

// Close releases the lock, and closes the storage unless a Catalog owns it.
func (s *Source) Close(ctx context.Context) error {
	if s.repo != nil {
		err := s.lock.Release(ctx)
		s.lock = nil
		if s.shared {
			return err
		}
		return errors.Join(err, s.repo.Close(ctx))
	}
	if s.storage != nil {
		return s.storage.Close(ctx)
	}
	return nil
}

var (
	_ stage.RowSource  = (*Source)(nil)
	_ stage.FileSource = (*Source)(nil)
)

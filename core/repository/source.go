package repository

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/lmsvault/vault/core/stage"
)

// Source reads a snapshot. It is a stage.Source.
type Source struct {
	storage stage.Storage // until Plan opens the repository
	chain   Chain
	want    Choice

	repo   *Repository
	snap   *Snapshot
	chunks *chunkReader
}

// NewSource makes a source of the snapshot that is chosen, see Repository.Load,
// in a storage, which it owns.
func NewSource(s stage.Storage, want Choice, chain Chain) *Source {
	return &Source{storage: s, chain: chain, want: want}
}

// Plan reads the manifest.
func (s *Source) Plan(ctx context.Context) (*stage.Inventory, error) {
	storage := s.storage
	s.storage = nil // Open closes it where it fails
	var err error
	if s.repo, err = Open(ctx, storage, s.chain); err != nil {
		return nil, err
	}
	if s.snap, err = s.repo.Load(ctx, s.want); err != nil {
		return nil, err
	}
	if s.chunks, err = s.repo.chunks(ctx, s.snap.kid); err != nil {
		return nil, err
	}
	inv := &stage.Inventory{Facts: maps.Clone(s.snap.Facts)}
	if inv.Facts == nil {
		inv.Facts = map[string]string{}
	}
	inv.Facts["snapshot"] = s.snap.ID
	for i := range s.snap.Tables {
		t := &s.snap.Tables[i]
		inv.Tables = append(inv.Tables, stage.TableInfo{Schema: t.Schema, Rows: t.Proof.Rows, Bytes: t.Bytes, Proof: &t.Proof})
	}
	for i, u := range s.snap.Units {
		unit := stage.Unit{ID: u.ID, Part: u.Part, Table: u.Table, Spec: strconv.Itoa(i), Rows: u.Entries, Bytes: u.Bytes}
		if u.Part == stage.DB {
			unit.Rows = u.Proof.Rows
		}
		inv.Units = append(inv.Units, unit)
	}
	inv.Recorded = s.snap.Losses
	if n, ok := s.snap.Skipped(); ok {
		inv.Notes = append(inv.Notes, n)
	}
	inv.Notes = append(inv.Notes, s.snap.Notes...)
	strays, err := strayNotes(ctx, s.repo.storage)
	inv.Notes = append(inv.Notes, strays...)
	return inv, err
}

// Read writes a unit's entries. Damage costs what it hit and no more: it is
// written as a Loss that names the pack and the chunk.
func (s *Source) Read(ctx context.Context, u stage.Unit, known stage.Known, w stage.Writer) error {
	i, err := strconv.Atoi(u.Spec)
	if err != nil || s.snap == nil || i < 0 || i >= len(s.snap.Units) {
		return fmt.Errorf("unit %s with spec %q is not of this snapshot's plan", u.ID, u.Spec)
	}
	unit := &s.snap.Units[i]
	r := &unitReader{chunks: s.chunks, unit: unit, known: known, w: w}
	return readList(ctx, s.chunks, unit, func(it *Item) error { return r.item(ctx, it) }, func(d *Damage) error { return r.listLost(ctx, d) })
}

// Close closes the storage.
func (s *Source) Close(ctx context.Context) error {
	if s.repo != nil {
		return s.repo.Close(ctx)
	}
	if s.storage != nil {
		return s.storage.Close(ctx)
	}
	return nil
}

// unitReader emits the entries of one unit.
type unitReader struct {
	chunks *chunkReader
	unit   *Unit
	known  stage.Known
	w      stage.Writer
	buf    []byte
	opened bool // an entry, of a table's unit the only one
}

func (r *unitReader) item(ctx context.Context, it *Item) error {
	if f := it.Fingerprint; it.Kind == stage.File && f != "" && r.known[it.Path] == f {
		return r.w.Same(ctx, it.Entry)
	}
	if err := r.w.Open(ctx, it.Entry); err != nil {
		return err
	}
	r.opened = true
	if it.Kind == stage.Table {
		return r.table(ctx, it)
	}
	damage, err := r.content(ctx, it)
	if err != nil {
		return err
	}
	if damage != nil {
		return errors.Join(r.w.Drop(ctx), r.w.Loss(ctx, stage.Loss{Kind: stage.LossStored, Path: it.Path, Reason: damage.Error(), Count: 1}))
	}
	return r.w.Close(ctx, it.Digest)
}

// content emits a file's bytes, and checks that they are what the source had read.
func (r *unitReader) content(ctx context.Context, it *Item) (damage, err error) {
	check := newDigester(it)
	for _, ref := range it.Refs {
		data, err := r.chunks.part(ctx, &r.buf, ref)
		if d, ok := asDamage(err); ok {
			return d, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", it.Path, err)
		}
		check.write(data)
		if err := r.w.Write(ctx, stage.Chunk{Data: data}); err != nil {
			return nil, err
		}
	}
	return check.compare(it), nil
}

// table emits the rows that are whole, and reports the others.
func (r *unitReader) table(ctx context.Context, it *Item) error {
	for _, ref := range it.Refs {
		data, err := r.chunks.part(ctx, &r.buf, ref)
		if d, ok := asDamage(err); ok {
			l := stage.Loss{Kind: stage.LossStored, Path: it.Path, Where: fmt.Sprintf("%d rows of unit %s", ref.Rows, r.unit.ID), Reason: d.Error(), Count: max(1, int64(ref.Rows))}
			if err := r.w.Loss(ctx, l); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", it.Path, err)
		}
		if err := r.w.Write(ctx, stage.Chunk{Data: data, Rows: int(ref.Rows)}); err != nil {
			return err
		}
	}
	return r.w.Close(ctx, stage.Digest{})
}

// listLost reports a part of the unit's list that can't be read. A table's unit
// has one entry, which must be opened whatever became of it.
func (r *unitReader) listLost(ctx context.Context, d *Damage) error {
	l := stage.Loss{Kind: stage.LossStored, Path: r.unit.ID, Where: "list of entries", Count: 1,
		Reason: fmt.Sprintf("some of its %d entries can't even be named: %v", r.unit.Entries, d)}
	if r.unit.Part == stage.DB {
		l.Path, l.Where, l.Count = stage.DB+"/"+r.unit.Table, "all rows of unit "+r.unit.ID, max(1, r.unit.Proof.Rows)
		if r.opened {
			return r.w.Loss(ctx, l)
		}
		r.opened = true
		if err := r.w.Open(ctx, stage.Entry{Path: l.Path, Kind: stage.Table}); err != nil {
			return err
		}
		if err := r.w.Close(ctx, stage.Digest{}); err != nil {
			return err
		}
	}
	return r.w.Loss(ctx, l)
}

var _ stage.Source = (*Source)(nil)

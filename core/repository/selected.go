package repository

import (
	"context"
	"fmt"

	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
)

// selectTables adds the selected tables of the snapshot to inv. A table of which only some
// rows are selected has no Proof there.
func (s *Source) selectTables(selected selection.Selection, inv *stage.Inventory) error {
	s.selected, s.filters = selected, map[string]*selection.Filter{}
	for i := range s.snap.Tables {
		t := &s.snap.Tables[i]
		name := t.Schema.Name
		if pattern, out := selected.ExcludesTable(name); out {
			inv.Excluded = append(inv.Excluded, selection.Excluded{Path: stage.DB + "/" + name, Pattern: pattern})
			continue
		}
		filter, err := selected.Filter(t.Schema)
		if err != nil {
			return err
		}
		s.filters[name] = filter
		info := stage.TableInfo{Schema: t.Schema, Rows: t.Proof.Rows, Bytes: t.Bytes}
		switch {
		case filter.None():
			info.Rows, info.Bytes = 0, 0
		case filter == nil:
			info.Proof = &t.Proof
		}
		inv.Tables = append(inv.Tables, info)
	}
	return nil
}

// excludedFiles appends the first excluded file for each pattern that excludes any.
func (s *Source) excludedFiles(ctx context.Context, list []selection.Excluded) ([]selection.Excluded, error) {
	found := map[string]bool{}
	for i := range s.snap.Units {
		u := &s.snap.Units[i]
		if len(found) == len(s.selected.ExcludeFiles) || len(s.selected.ExcludeBelow(u.Part)) == 0 {
			continue
		}
		err := readList(ctx, s.chunks, u, func(it *manifest.Item) error {
			if pattern, out := s.selected.ExcludesPath(it.Path); out && !found[pattern] {
				found[pattern] = true
				list = append(list, selection.Excluded{Path: it.Path, Pattern: pattern})
			}
			return nil
		}, func(*object.Damage) error { return nil }) // ReadFiles reports the damage
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// readFiltered writes the rows of a unit that f selects. The run can't verify a part of the
// rows against the proof in the snapshot, so readFiltered verifies all rows of the unit.
func readFiltered(ctx context.Context, r *rowReader, f *selection.Filter) error {
	to := r.w
	w := &filteredRows{RowWriter: to}
	w.out = selection.NewWriter(f, func(ctx context.Context, data []byte, n int) error {
		return to.Write(ctx, stage.Chunk{Data: data, Rows: n})
	})
	r.w = w
	err := readList(ctx, r.chunks, r.unit, func(it *manifest.Item) error { return r.table(ctx, it) }, func(d *object.Damage) error { return r.listLost(ctx, d) })
	if err == nil {
		err = w.out.Flush(ctx)
	}
	if err != nil {
		return err
	}
	if !w.damaged && w.sum != r.unit.Proof {
		return fmt.Errorf("unit %s: %w: it has %s rows, and the snapshot says %s", r.unit.ID, stage.ErrCorrupt, w.sum, r.unit.Proof)
	}
	return nil
}

// filteredRows writes the selected rows to a RowWriter. A loss counts all rows of a damaged
// chunk, because it is unknown which of them were selected.
type filteredRows struct {
	stage.RowWriter
	out     *selection.Writer
	sum     rows.Sum
	damaged bool
}

func (w *filteredRows) Write(ctx context.Context, c stage.Chunk) error {
	if err := w.sum.AddChunk(c.Data); err != nil {
		return err
	}
	return w.out.Write(ctx, c.Data)
}

func (w *filteredRows) Loss(ctx context.Context, l stage.Loss) error {
	w.damaged = true
	return w.RowWriter.Loss(ctx, l)
}

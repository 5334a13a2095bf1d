package repository

import (
	"context"
	"errors"
	"fmt"

	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/repository/pack"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
)

// fileReader writes the entries of a unit of files to a FileWriter.
type fileReader struct {
	chunks   *pack.ChunkReader
	unit     *manifest.Unit
	baseline stage.Baseline
	selected *selection.Selection
	w        stage.FileWriter
	buf      []byte
}

func (r *fileReader) item(ctx context.Context, it *manifest.Item) error {
	if it.Kind == stage.Table {
		return fmt.Errorf("unit %s: %s is a table, and the unit is of files", r.unit.ID, it.Path)
	}
	if _, out := r.selected.ExcludesPath(it.Path); out {
		return nil
	}
	if f := it.Fingerprint; it.Kind == stage.File && f != "" && r.baseline[it.Path] == f {
		return r.w.Same(ctx, it.Entry)
	}
	if err := r.w.Open(ctx, it.Entry); err != nil {
		return err
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

// content writes the content of a file, and verifies it against the digest of the entry.
func (r *fileReader) content(ctx context.Context, it *manifest.Item) (damage, err error) {
	check := manifest.NewDigester(it)
	for _, ref := range it.Refs {
		data, err := r.chunks.Part(ctx, &r.buf, ref)
		if d, ok := object.AsDamage(err); ok {
			return d, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", it.Path, err)
		}
		check.Write(data)
		if err := r.w.Write(ctx, data); err != nil {
			return nil, err
		}
	}
	return check.Compare(it), nil
}

// listLost reports an unreadable part of the unit's entry list.
func (r *fileReader) listLost(ctx context.Context, d *object.Damage) error {
	return r.w.Loss(ctx, stage.Loss{Kind: stage.LossStored, Path: r.unit.ID, Where: "list of entries", Count: 1,
		Reason: fmt.Sprintf("some of its %d entries can't even be named: %v", r.unit.Entries, d)})
}

// rowReader writes the rows of a unit of a table to a RowWriter.
type rowReader struct {
	chunks *pack.ChunkReader
	unit   *manifest.Unit
	w      stage.RowWriter
	buf    []byte
}

// table writes the undamaged rows, and reports the others as losses.
func (r *rowReader) table(ctx context.Context, it *manifest.Item) error {
	if it.Path != stage.DB+"/"+r.unit.Table || it.Kind != stage.Table {
		return fmt.Errorf("unit %s: %s is not its table", r.unit.ID, it.Path)
	}
	for _, ref := range it.Refs {
		data, err := r.chunks.Part(ctx, &r.buf, ref)
		if d, ok := object.AsDamage(err); ok {
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
	return nil
}

// listLost reports that the rows are lost because the unit's entry list can't be read.
func (r *rowReader) listLost(ctx context.Context, d *object.Damage) error {
	return r.w.Loss(ctx, stage.Loss{Kind: stage.LossStored, Path: stage.DB + "/" + r.unit.Table, Where: "all rows of unit " + r.unit.ID,
		Count: max(1, r.unit.Proof.Rows), Reason: fmt.Sprintf("some of its %d entries can't even be named: %v", r.unit.Entries, d)})
}

package repository

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/repository/pack"
	"github.com/lmsvault/vault/core/stage"
)

// Listed is a snapshot in a list, or the error of reading it.
type Listed struct {
	ID       string
	Snapshot *manifest.Snapshot // without Tables and Units, which Load returns; nil if it can't be read
	Err      error              // stage.ErrKey if the key can't be opened, *object.Damage if the snapshot is damaged
}

// Snapshots lists all snapshots, oldest first. An unreadable snapshot is listed with its
// error.
func (r *Repository) Snapshots(ctx context.Context) ([]Listed, error) {
	refs, _, err := listSnapshots(ctx, r.storage)
	if err != nil {
		return nil, err
	}
	list := make([]Listed, len(refs))
	for i, ref := range refs {
		list[i].ID = ref.ID
		if list[i].Snapshot, list[i].Err = r.head(ctx, ref); list[i].Err != nil && ctx.Err() != nil {
			return nil, list[i].Err
		}
	}
	return list, nil
}

// head loads a snapshot without Tables and Units, so that a list of many fits into memory.
func (r *Repository) head(ctx context.Context, ref manifest.Ref) (*manifest.Snapshot, error) {
	snap, err := r.load(ctx, ref)
	if err != nil {
		return nil, err
	}
	snap.Tables, snap.Units = nil, nil
	return snap, nil
}

func (r *Repository) load(ctx context.Context, ref manifest.Ref) (*manifest.Snapshot, error) {
	e, err := r.generation(ctx, ref.KID)
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", ref.ID, err)
	}
	return manifest.GetSnapshot(ctx, r.storage, e, ref.ID, r.chain.Signers)
}

// Entries calls fn for each entry of a snapshot, unit by unit. The Item is valid until fn
// returns; an error of fn ends Entries. A table with several units is listed once for each,
// with the rows of that unit. If a list is damaged, Entries lists the others first and then
// returns an error.
func (r *Repository) Entries(ctx context.Context, snap *manifest.Snapshot, fn func(u *manifest.Unit, it *manifest.Item) error) error {
	chunks, err := r.chunks(ctx, snap.KID)
	if err != nil {
		return err
	}
	var lost []error
	for i := range snap.Units {
		u := &snap.Units[i]
		err := readList(ctx, chunks, u, func(it *manifest.Item) error { return fn(u, it) }, func(d *object.Damage) error {
			lost = append(lost, fmt.Errorf("snapshot %s, unit %s: a part of its list of entries is lost: %w", snap.ID, u.ID, d))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return errors.Join(lost...)
}

// readList calls fn for each item of a unit, and lose for each damaged chunk of its list.
func readList(ctx context.Context, chunks *pack.ChunkReader, u *manifest.Unit, fn func(*manifest.Item) error, lose func(*object.Damage) error) error {
	var buf []byte
	var it manifest.Item
	for _, id := range u.List {
		data, err := chunks.Read(ctx, buf[:0], id)
		if err == nil {
			buf = data
			err = readListChunk(data, id, &it, fn)
		}
		if d, ok := object.AsDamage(err); ok {
			err = lose(d)
		}
		var c *callerError
		if errors.As(err, &c) {
			return c.err
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func readListChunk(data []byte, id object.ID, it *manifest.Item, fn func(*manifest.Item) error) error {
	d := manifest.NewListDecoder(data)
	for {
		ok, err := d.Next(it)
		if err != nil {
			return object.Damaged("", id.String(), err)
		}
		if !ok {
			return nil
		}
		if err := fn(it); err != nil {
			return &callerError{err}
		}
	}
}

// callerError wraps an error of a callback, so that damage in it is not taken for ours.
type callerError struct{ err error }

func (e *callerError) Error() string { return e.err.Error() }

// Cat writes the content of an entry to w: the bytes of a file, or the rows of a table in
// the format of package rows.
func (r *Repository) Cat(ctx context.Context, snap *manifest.Snapshot, path string, w io.Writer) error {
	chunks, err := r.chunks(ctx, snap.KID)
	if err != nil {
		return err
	}
	part, _, _ := strings.Cut(path, "/")
	table, isTable := strings.CutPrefix(path, stage.DB+"/")
	found := false
	for i := range snap.Units {
		u := &snap.Units[i]
		if u.Part != part || isTable && u.Table != table {
			continue
		}
		if err := readList(ctx, chunks, u, func(it *manifest.Item) error {
			if it.Path != path {
				return nil
			}
			found = true
			return writeContent(ctx, chunks, it, w)
		}, func(d *object.Damage) error { return d }); err != nil {
			return fmt.Errorf("snapshot %s, %s: %w", snap.ID, path, err)
		}
		if found && !isTable {
			return nil
		}
	}
	if !found {
		return failure.New(failure.Usage, "snapshot %s has no entry %q", snap.ID, path)
	}
	return nil
}

func writeContent(ctx context.Context, chunks *pack.ChunkReader, it *manifest.Item, w io.Writer) error {
	var buf []byte
	check := manifest.NewDigester(it)
	for _, ref := range it.Refs {
		data, err := chunks.Part(ctx, &buf, ref)
		if err != nil {
			return err
		}
		check.Write(data)
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	return check.Compare(it)
}

package repository

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lmsvault/vault/core/repository/lock"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/repository/pack"
)

// run executes the plan. It stores new packs, their index and the merged indexes, and only
// then deletes old indexes and old packs. If it is interrupted at any step, every needed
// chunk is still in a pack that can be found by an index or its own trailer.
func (p *prunePlan) run(ctx context.Context) error {
	if err := p.unchanged(ctx); err != nil {
		return err
	}
	gone := slices.Clone(p.remove)
	if len(p.repack) > 0 {
		moved, err := p.moveChunks(ctx)
		if err != nil {
			return fmt.Errorf("repacking: %w", err)
		}
		gone = append(gone, moved...)
	}
	if err := p.unchanged(ctx); err != nil {
		return err
	}
	old, err := p.mergeIndexes(ctx, gone)
	if err != nil {
		return err
	}
	var objects []string
	for _, name := range old {
		objects = append(objects, object.IndexName(p.generation.KID, name))
	}
	for _, name := range gone {
		objects = append(objects, object.PackName(p.generation.KID, name))
	}
	for i, name := range objects {
		if err := p.mayDelete(ctx, i); err != nil {
			return err
		}
		if err := p.storage.Delete(ctx, name); err != nil {
			return fmt.Errorf("deleting %s: %w", name, err)
		}
	}
	return nil
}

// unchanged returns an error if the lock was lost, or if snapshots were added since the plan
// was made.
func (p *prunePlan) unchanged(ctx context.Context) error {
	if err := p.lock.Held(ctx); err != nil {
		return err
	}
	refs, _, err := listSnapshots(ctx, p.storage)
	if err != nil {
		return err
	}
	for _, ref := range refs {
		if ref.KID == p.generation.KID && !slices.Contains(p.snapshots, ref) {
			return fmt.Errorf("snapshot %s appeared while the repository was locked (is a clock wrong?); nothing was removed, run vault prune again", ref.ID)
		}
	}
	return nil
}

// mayDelete returns an error if the lock is no longer held. Reading the lock from the
// storage is slow, so mayDelete does it only for every 32nd deletion, or if the lock was not
// refreshed recently.
func (p *prunePlan) mayDelete(ctx context.Context, n int) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if n%32 == 0 || nearlyExpired(p.lock, time.Now()) {
		return p.lock.Held(ctx)
	}
	return nil
}

// nearlyExpired reports whether the lock was not refreshed recently.
func nearlyExpired(l *lock.Lock, now time.Time) bool {
	l.Turn.Lock()
	defer l.Turn.Unlock()
	return now.After(l.File.Expires.Add(-lock.Lease / 2))
}

// moveChunks stores the needed chunks of packs in new packs, with an index. It returns the
// packs that are no longer needed; a pack with a damaged chunk is not among them.
func (p *prunePlan) moveChunks(ctx context.Context) (moved []string, err error) {
	w := pack.NewPacker(ctx, p.storage, p.generation, pack.NewIndex())
	defer w.Close()
	var sealed, plain []byte
	var done int64
	for _, name := range p.repack {
		u := p.packs[name]
		var offset int64
		whole := true
		for _, b := range u.Blobs {
			at := offset
			offset += int64(b.Length)
			if !u.owned[b.ID] || !whole {
				continue
			}
			if sealed, plain, err = p.readBlob(ctx, sealed, plain, name, at, b); isLost(err) {
				whole = false
				p.result.note(object.PackName(p.generation.KID, name), "a chunk is damaged; the pack is kept: %v", err)
				continue
			}
			if err != nil {
				return nil, err
			}
			// The sealed bytes depend on the chunk's ID and the key, not on the pack.
			if err := w.Add(ctx, b.Kind, b.ID, sealed, int(b.Plain)); err != nil {
				return nil, err
			}
			done += int64(b.Length)
			if p.report != nil {
				p.report(done, max(done, p.result.Rewrite))
			}
		}
		if whole {
			moved = append(moved, name)
		}
	}
	return moved, w.Flush(ctx)
}

// mergeIndexes stores indexes for the remaining packs, and returns the index objects that
// they replace: those that list packs in gone, are small or can't be read.
func (p *prunePlan) mergeIndexes(ctx context.Context, gone []string) (old []string, err error) {
	indexes, damaged, err := p.readIndexes(ctx)
	if err != nil {
		return nil, err
	}
	leaves := map[string]bool{}
	for _, name := range gone {
		leaves[name] = true
	}
	stays := map[string]pack.Pack{} // remaining packs that are in no remaining index yet
	for name, u := range p.packs {
		if !leaves[name] {
			stays[name] = u.Pack
		}
	}
	known := map[string]bool{} // packs that the plan knows
	for name := range p.packs {
		known[name] = true
	}
	for _, d := range p.lost {
		known[d.Name] = true
		if p.packs[d.Name] == nil && p.needs(d) {
			stays[d.Name] = d // so that Verify can report the missing pack
		}
	}
	var small, must []string
	for name, packs := range indexes {
		blobs, stale := 0, false
		for _, d := range packs {
			blobs += len(d.Blobs)
			if !known[d.Name] {
				stays[d.Name] = d // just written by moveChunks
			}
			_, ok := stays[d.Name]
			stale = stale || !ok
		}
		switch {
		case stale:
			must = append(must, name)
		case blobs < pack.IndexBlobs/2:
			small = append(small, name)
		}
	}
	old = append(must, damaged...)
	if len(small) > 1 || len(old) > 0 {
		old = append(old, small...)
	}
	for name, packs := range indexes {
		if slices.Contains(old, name) {
			continue
		}
		for _, d := range packs {
			delete(stays, d.Name)
		}
	}
	slices.Sort(old)
	return old, p.putIndexes(ctx, stays)
}

// needs reports whether a missing pack had a needed chunk that no other pack has.
func (p *prunePlan) needs(d pack.Pack) bool {
	return slices.ContainsFunc(d.Blobs, func(b pack.Blob) bool {
		if _, needed := p.needed[b.ID]; !needed {
			return false
		}
		_, elsewhere := p.owned[b.ID]
		return !elsewhere
	})
}

func (p *prunePlan) putIndexes(ctx context.Context, packs map[string]pack.Pack) (err error) {
	w := pack.NewPacker(ctx, p.storage, p.generation, pack.NewIndex())
	defer w.Close()
	var part []pack.Pack
	blobs := 0
	for _, d := range packs {
		part = append(part, d)
		if blobs += len(d.Blobs); blobs >= pack.IndexBlobs {
			err = errors.Join(err, w.PutIndex(ctx, part))
			part, blobs = nil, 0
		}
	}
	return errors.Join(err, w.PutIndex(ctx, part))
}

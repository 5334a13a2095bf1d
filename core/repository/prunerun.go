package repository

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// run carries the plan out. The order keeps every needed chunk in a pack that an
// index or its own directory names, whatever is the last step: new packs, their
// index, the merged indexes, and only then are old indexes and old packs deleted.
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
		objects = append(objects, indexName(p.epoch.kid, name))
	}
	for _, name := range gone {
		objects = append(objects, packName(p.epoch.kid, name))
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

// unchanged returns an error unless the lock is held and the snapshots are those
// that the plan was made for.
func (p *prunePlan) unchanged(ctx context.Context) error {
	if err := p.lock.held(ctx); err != nil {
		return err
	}
	refs, _, err := listSnapshots(ctx, p.storage)
	if err != nil {
		return err
	}
	for _, ref := range refs {
		if ref.kid == p.epoch.kid && !slices.Contains(p.snapshots, ref) {
			return fmt.Errorf("snapshot %s appeared while the repository was locked: is a clock wrong? nothing that was there was removed; run vault prune again", ref.id)
		}
	}
	return nil
}

// mayDelete returns an error if the lock is no longer held. Asking the storage
// costs time, so that for most deletions the clock alone is looked at.
func (p *prunePlan) mayDelete(ctx context.Context, n int) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if n%32 == 0 || p.lock.nearlyExpired(time.Now()) {
		return p.lock.held(ctx)
	}
	return nil
}

// nearlyExpired tells whether the lock has not been refreshed for long.
func (l *lock) nearlyExpired(now time.Time) bool {
	l.turn.Lock()
	defer l.turn.Unlock()
	return now.After(l.file.Expires.Add(-lease / 2))
}

// moveChunks stores the needed chunks of packs in new ones, with their index. It
// returns the packs of which nothing is needed any more: one with a damaged chunk stays.
func (p *prunePlan) moveChunks(ctx context.Context) (moved []string, err error) {
	w := newPacker(ctx, p.storage, p.epoch, newIndex())
	defer w.close()
	var sealed, plain []byte
	var done int64
	for _, name := range p.repack {
		u := p.packs[name]
		var offset int64
		whole := true
		for _, b := range u.blobs {
			at := offset
			offset += int64(b.length)
			if !u.owned[b.id] || !whole {
				continue
			}
			if sealed, plain, err = p.readBlob(ctx, sealed, plain, name, at, b); isLost(err) {
				whole = false
				p.result.note(packName(p.epoch.kid, name), "a chunk is damaged, and the pack stays: %v", err)
				continue
			}
			if err != nil {
				return nil, err
			}
			// The sealed bytes are bound to the chunk's id and the key, not to the pack.
			if err := w.add(ctx, b.kind, b.id, sealed, int(b.plain)); err != nil {
				return nil, err
			}
			done += int64(b.length)
			if p.report != nil {
				p.report(done, max(done, p.result.Rewrite))
			}
		}
		if whole {
			moved = append(moved, name)
		}
	}
	return moved, w.flush(ctx)
}

// mergeIndexes puts indexes for all packs that stay, and returns the objects that
// they replace: those that name packs in gone, are small or can't be read.
func (p *prunePlan) mergeIndexes(ctx context.Context, gone []string) (old []string, err error) {
	indexes, damaged, err := p.readIndexes(ctx)
	if err != nil {
		return nil, err
	}
	leaves := map[string]bool{}
	for _, name := range gone {
		leaves[name] = true
	}
	stays := map[string]pack{} // and is in no index yet that stays
	for name, u := range p.packs {
		if !leaves[name] {
			stays[name] = u.pack
		}
	}
	known := map[string]bool{} // to the plan
	for name := range p.packs {
		known[name] = true
	}
	for _, d := range p.lost {
		known[d.name] = true
		if p.packs[d.name] == nil && p.needs(d) {
			stays[d.name] = d // so that verify can name it
		}
	}
	var small, must []string
	for name, packs := range indexes {
		blobs, stale := 0, false
		for _, d := range packs {
			blobs += len(d.blobs)
			if !known[d.name] {
				stays[d.name] = d // repacked just now
			}
			_, ok := stays[d.name]
			stale = stale || !ok
		}
		switch {
		case stale:
			must = append(must, name)
		case blobs < indexBlobs/2:
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
			delete(stays, d.name)
		}
	}
	slices.Sort(old)
	return old, p.putIndexes(ctx, stays)
}

// needs tells whether a pack that is gone has a needed chunk that no other has.
func (p *prunePlan) needs(d pack) bool {
	return slices.ContainsFunc(d.blobs, func(b blob) bool {
		if _, needed := p.needed[b.id]; !needed {
			return false
		}
		_, elsewhere := p.owned[b.id]
		return !elsewhere
	})
}

func (p *prunePlan) putIndexes(ctx context.Context, packs map[string]pack) (err error) {
	w := newPacker(ctx, p.storage, p.epoch, newIndex())
	defer w.close()
	var part []pack
	blobs := 0
	for _, d := range packs {
		part = append(part, d)
		if blobs += len(d.blobs); blobs >= indexBlobs {
			err = errors.Join(err, w.putIndex(ctx, part))
			part, blobs = nil, 0
		}
	}
	return errors.Join(err, w.putIndex(ctx, part))
}

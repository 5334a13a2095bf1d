package repository

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/repository/pack"
	"github.com/lmsvault/vault/core/stage"
)

// loadPacks reads the directories of all packs from the indexes, or from the packs that are
// in no index. It keeps damaged packs and adds a note for each.
func (p *prunePlan) loadPacks(ctx context.Context) error {
	kid := p.generation.KID
	sizes := map[string]int64{}
	if err := p.storage.List(ctx, object.PacksDir+kid+"/", func(o stage.Object) error {
		if name := path.Base(o.Name); object.IsName(name) && o.Name == object.PackName(kid, name) {
			sizes[name] = o.Size
		}
		return nil
	}); err != nil {
		return fmt.Errorf("listing packs: %w", err)
	}
	p.packs = map[string]*packUse{}
	indexes, _, err := p.readIndexes(ctx)
	if err != nil {
		return err
	}
	lost := map[string]bool{}
	for _, packs := range indexes {
		for _, d := range packs {
			if sizes[d.Name] == d.Size {
				p.packs[d.Name] = &packUse{Pack: d}
			} else if !lost[d.Name] {
				lost[d.Name] = true
				p.lost = append(p.lost, d)
			}
		}
	}
	for name, size := range sizes {
		p.result.Packs++
		p.result.Bytes += size
		if p.packs[name] != nil {
			continue
		}
		d, err := pack.ReadTrailer(ctx, p.storage, p.generation, name, size)
		if _, bad := object.AsDamage(err); bad {
			p.result.note(object.PackName(kid, name), "the pack is damaged and is kept: %v; run vault verify", err)
			continue
		}
		if err != nil {
			return err
		}
		p.packs[name] = &packUse{Pack: d}
	}
	return nil
}

// readIndexes reads all index objects; damaged lists those that can't be read.
func (p *prunePlan) readIndexes(ctx context.Context) (packs map[string][]pack.Pack, damaged []string, err error) {
	names, err := object.ListNames(ctx, p.storage, object.IndexDir+p.generation.KID+"/")
	if err != nil {
		return nil, nil, fmt.Errorf("listing indexes: %w", err)
	}
	packs = map[string][]pack.Pack{}
	for _, name := range names {
		if !object.IsName(name) {
			continue
		}
		list, err := pack.ReadIndex(ctx, p.storage, p.generation, name)
		if _, bad := object.AsDamage(err); bad {
			damaged = append(damaged, name)
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		packs[name] = list
	}
	return packs, damaged, nil
}

// assign assigns each needed chunk to one of the packs that contain it. Packs with the
// least waste come first, so that a pack already repacked by an interrupted prune is all
// waste.
func (p *prunePlan) assign() {
	var order []*packUse
	for _, u := range p.packs {
		for _, b := range u.Blobs {
			if _, ok := p.needed[b.ID]; ok {
				u.live += int64(b.Length)
			}
		}
		order = append(order, u)
	}
	slices.SortFunc(order, func(a, b *packUse) int {
		return cmp.Or(cmp.Compare(b.live*a.Size, a.live*b.Size), cmp.Compare(a.Name, b.Name))
	})
	p.owned = map[object.ID]struct{}{}
	for _, u := range order {
		u.live, u.owned = 0, map[object.ID]bool{}
		for _, b := range u.Blobs {
			_, needed := p.needed[b.ID]
			if _, elsewhere := p.owned[b.ID]; !needed || elsewhere {
				continue
			}
			p.owned[b.ID] = struct{}{}
			u.owned[b.ID] = true
			u.live += int64(b.Length)
		}
	}
}

// checkCopies verifies the copy to be kept of each chunk that is in several packs. If that
// copy is damaged, all these packs are kept.
func (p *prunePlan) checkCopies(ctx context.Context) error {
	double := map[object.ID]bool{}
	for _, u := range p.packs {
		for _, b := range u.Blobs {
			if _, needed := p.needed[b.ID]; needed && !u.owned[b.ID] {
				double[b.ID] = true
			}
		}
	}
	if len(double) == 0 {
		return nil
	}
	bad := map[object.ID]bool{}
	var sealed, plain []byte
	for _, u := range p.packs {
		var offset int64
		for _, b := range u.Blobs {
			at := offset
			offset += int64(b.Length)
			if !u.owned[b.ID] || !double[b.ID] {
				continue
			}
			var err error
			if sealed, plain, err = p.readBlob(ctx, sealed, plain, u.Name, at, b); err == nil {
				continue
			}
			if !isLost(err) {
				return err
			}
			bad[b.ID] = true
			p.result.note(object.PackName(p.generation.KID, u.Name), "chunk %s is damaged in this pack; all its copies are kept: %v", b.ID, err)
		}
	}
	for _, u := range p.packs {
		u.keep = slices.ContainsFunc(u.Blobs, func(b pack.Blob) bool { return bad[b.ID] })
	}
	return nil
}

// readBlob reads a chunk from a pack and verifies it. It returns the buffers for reuse.
func (p *prunePlan) readBlob(ctx context.Context, sealed, plain []byte, name string, offset int64, b pack.Blob) (_, _ []byte, err error) {
	object := object.PackName(p.generation.KID, name)
	got, err := p.storage.Get(ctx, sealed[:0], object, offset, int64(b.Length))
	if err != nil {
		return sealed, plain, fmt.Errorf("%s: %w", object, err)
	}
	out, err := p.generation.OpenChunk(ctx, plain[:0], got, b.ID, int(b.Plain))
	if err != nil {
		return got, plain, fmt.Errorf("%s: chunk %s: %w", object, b.ID, err)
	}
	return got, out, nil
}

// isLost reports whether err means that an object is damaged or missing.
func isLost(err error) bool {
	return errors.Is(err, stage.ErrCorrupt) || errors.Is(err, stage.ErrNotExist)
}

// smallPack is the size below which packs are merged, such as the last pack of each backup.
const smallPack = pack.PackTarget / 2

// body returns the number of bytes of chunks in a pack.
func (u *packUse) body() (n int64) {
	for _, b := range u.Blobs {
		n += int64(b.Length)
	}
	return n
}

// decide decides for each pack whether to keep, repack or remove it, and adds up the totals.
func (p *prunePlan) decide(maxWaste int) {
	var small []string
	for name, u := range p.packs {
		body := u.body()
		waste := body - u.live
		p.result.Waste += waste
		switch {
		case u.keep:
		case u.live == 0:
			p.remove = append(p.remove, name)
			p.result.Remove++
			p.result.Free += u.Size
		case waste*100 > body*int64(maxWaste):
			p.repack = append(p.repack, name)
			p.result.Repack++
			p.result.Rewrite += u.live
			p.result.Free += waste
		case body < smallPack:
			small = append(small, name)
		}
	}
	if len(small) > 1 { // repacking a single small pack would only yield another
		for _, name := range small {
			u := p.packs[name]
			p.result.Merge++
			p.result.Rewrite += u.live
			p.result.Free += u.body() - u.live
		}
		p.repack = append(p.repack, small...)
	}
	slices.Sort(p.remove)
	slices.Sort(p.repack)
}

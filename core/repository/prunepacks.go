package repository

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/lmsvault/vault/core/stage"
)

// loadPacks reads the directories of all packs: from the indexes, else from the
// packs themselves. A pack that is damaged stays, and is noted.
func (p *prunePlan) loadPacks(ctx context.Context) error {
	kid := p.epoch.kid
	sizes := map[string]int64{}
	if err := p.storage.List(ctx, packsDir+kid+"/", func(o stage.Object) error {
		if name := path.Base(o.Name); isName(name) && o.Name == packName(kid, name) {
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
			if sizes[d.name] == d.size {
				p.packs[d.name] = &packUse{pack: d}
			} else if !lost[d.name] {
				lost[d.name] = true
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
		d, err := readTrailer(ctx, p.storage, p.epoch, name, size)
		if _, bad := asDamage(err); bad {
			p.result.note(packName(kid, name), "this pack is damaged, and stays: %v; look with vault verify", err)
			continue
		}
		if err != nil {
			return err
		}
		p.packs[name] = &packUse{pack: d}
	}
	return nil
}

// readIndexes reads all index objects; damaged names those that can't be read.
func (p *prunePlan) readIndexes(ctx context.Context) (packs map[string][]pack, damaged []string, err error) {
	names, err := listNames(ctx, p.storage, indexDir+p.epoch.kid+"/")
	if err != nil {
		return nil, nil, fmt.Errorf("listing indexes: %w", err)
	}
	packs = map[string][]pack{}
	for _, name := range names {
		if !isName(name) {
			continue
		}
		list, err := readIndex(ctx, p.storage, p.epoch, name)
		if _, bad := asDamage(err); bad {
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

// assign gives each needed chunk to one of the packs that hold it, first to those
// with the least waste: then a pack that a prune before has repacked is all waste.
func (p *prunePlan) assign() {
	var order []*packUse
	for _, u := range p.packs {
		for _, b := range u.blobs {
			if _, ok := p.needed[b.id]; ok {
				u.live += int64(b.length)
			}
		}
		order = append(order, u)
	}
	slices.SortFunc(order, func(a, b *packUse) int {
		return cmp.Or(cmp.Compare(b.live*a.size, a.live*b.size), cmp.Compare(a.name, b.name))
	})
	p.owned = map[ID]struct{}{}
	for _, u := range order {
		u.live, u.owned = 0, map[ID]bool{}
		for _, b := range u.blobs {
			_, needed := p.needed[b.id]
			if _, elsewhere := p.owned[b.id]; !needed || elsewhere {
				continue
			}
			p.owned[b.id] = struct{}{}
			u.owned[b.id] = true
			u.live += int64(b.length)
		}
	}
}

// checkCopies proves the copy that stays of each chunk that several packs hold.
// Where it is damaged, all these packs stay.
func (p *prunePlan) checkCopies(ctx context.Context) error {
	double := map[ID]bool{}
	for _, u := range p.packs {
		for _, b := range u.blobs {
			if _, needed := p.needed[b.id]; needed && !u.owned[b.id] {
				double[b.id] = true
			}
		}
	}
	if len(double) == 0 {
		return nil
	}
	bad := map[ID]bool{}
	var sealed, plain []byte
	for _, u := range p.packs {
		var offset int64
		for _, b := range u.blobs {
			at := offset
			offset += int64(b.length)
			if !u.owned[b.id] || !double[b.id] {
				continue
			}
			var err error
			if sealed, plain, err = p.readBlob(ctx, sealed, plain, u.name, at, b); err == nil {
				continue
			}
			if !isLost(err) {
				return err
			}
			bad[b.id] = true
			p.result.note(packName(p.epoch.kid, u.name), "chunk %s is damaged here, and so all its copies stay: %v", b.id, err)
		}
	}
	for _, u := range p.packs {
		u.keep = slices.ContainsFunc(u.blobs, func(b blob) bool { return bad[b.id] })
	}
	return nil
}

// readBlob reads a chunk out of a pack and proves it. The buffers are used again.
func (p *prunePlan) readBlob(ctx context.Context, sealed, plain []byte, name string, offset int64, b blob) (_, _ []byte, err error) {
	object := packName(p.epoch.kid, name)
	got, err := p.storage.Get(ctx, sealed[:0], object, offset, int64(b.length))
	if err != nil {
		return sealed, plain, fmt.Errorf("%s: %w", object, err)
	}
	out, err := p.epoch.openChunk(ctx, plain[:0], got, b.id, int(b.plain))
	if err != nil {
		return got, plain, fmt.Errorf("%s: chunk %s: %w", object, b.id, err)
	}
	return got, out, nil
}

// isLost tells whether err means that what was read is damaged or gone.
func isLost(err error) bool {
	return errors.Is(err, stage.ErrCorrupt) || errors.Is(err, stage.ErrNotExist)
}

// smallPack is the size below which packs are merged: those that the end of each
// backup leaves, for instance.
const smallPack = packTarget / 2

// body is how many bytes of chunks a pack has.
func (u *packUse) body() (n int64) {
	for _, b := range u.blobs {
		n += int64(b.length)
	}
	return n
}

// decide says what becomes of each pack, and adds it up.
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
			p.result.Free += u.size
		case waste*100 > body*int64(maxWaste):
			p.repack = append(p.repack, name)
			p.result.Repack++
			p.result.Rewrite += u.live
			p.result.Free += waste
		case body < smallPack:
			small = append(small, name)
		}
	}
	if len(small) > 1 { // of one alone a pack would be made that is as small
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

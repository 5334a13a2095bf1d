package repository

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/repository/lock"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/repository/pack"
	"github.com/lmsvault/vault/core/stage"
)

// DefaultMaxWaste is the waste in percent that a pack may have before it is repacked.
const DefaultMaxWaste = 50

// PruneRequest says how Prune works.
type PruneRequest struct {
	MaxWaste int // percent of a pack's bytes that may be waste, 0 to 100
	DryRun   bool
	// Planned is told what is going to be done, before it is; it may be nil.
	Planned func(*Pruning)
	// Report is told of the bytes that are repacked, from one goroutine; it may be nil.
	Report VerifyProgress
}

// Pruning is what Prune does. Bytes are those of stored objects.
type Pruning struct {
	Snapshots int          `json:"snapshots"`     // whose chunks stay
	Packs     int          `json:"packs"`         // that are there
	Bytes     int64        `json:"bytes"`         // of these
	Waste     int64        `json:"waste_bytes"`   // that no snapshot needs
	Remove    int          `json:"remove_packs"`  // packs that are all waste
	Repack    int          `json:"repack_packs"`  // packs with more waste than allowed
	Merge     int          `json:"merge_packs"`   // small packs of which fewer are made
	Rewrite   int64        `json:"rewrite_bytes"` // of chunks that are stored anew
	Free      int64        `json:"free_bytes"`    // what there is more room afterwards
	Notes     []stage.Note `json:"notes,omitempty"`
}

func (p *Pruning) note(object, format string, args ...any) {
	p.Notes = append(p.Notes, stage.Note{Path: object, Text: fmt.Sprintf(format, args...)})
}

// Prune removes the chunks that no snapshot needs, under an exclusive lock. It
// deletes packs that are all waste, stores the needed chunks of packs with more
// waste than MaxWaste, and of small packs, in new packs before it deletes those, and
// merges small indexes.
// After a crash or an error at any step every snapshot has all its chunks, and the
// next Prune goes on. Chunks under keys that can't be opened stay. Errors of class
// failure.Refused: a lock, a storage that can't delete, or a snapshot of which it
// can't be told which chunks it needs.
func (r *Repository) Prune(ctx context.Context, q PruneRequest) (result *Pruning, err error) {
	var l *lock.Lock
	if q.DryRun {
		l, err = lock.AcquireShared(ctx, r.storage)
	} else {
		l, err = lock.Acquire(ctx, r.storage, lock.LockExclusive, "", lock.Refresh)
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Release(ctx)) }()
	if !q.DryRun {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		defer cancel(nil)
		l.WhenLost(cancel)
		if err := deletes(l, ctx); err != nil {
			return nil, err
		}
	}
	result = &Pruning{}
	var plans []*prunePlan
	for _, kid := range r.kids {
		e, err := r.generation(ctx, kid)
		if _, lost := object.AsDamage(err); lost || errors.Is(err, stage.ErrKey) {
			result.note(object.KeysDir+kid, "what was stored under this key stays: %v", err)
			continue
		}
		if err != nil {
			return nil, err
		}
		p := &prunePlan{storage: r.storage, generation: e, lock: l, result: result, report: q.Report}
		if err := p.survey(ctx, q.MaxWaste); err != nil {
			return nil, err
		}
		plans = append(plans, p)
	}
	if q.Planned != nil {
		q.Planned(result)
	}
	if q.DryRun {
		return result, nil
	}
	for _, p := range plans {
		if err := p.run(ctx); err != nil {
			return result, errors.Join(err, context.Cause(ctx))
		}
	}
	return result, nil
}

// deletes returns an error where the storage does not delete objects: nothing
// should be stored anew then.
func deletes(l *lock.Lock, ctx context.Context) error {
	l.Turn.Lock()
	defer l.Turn.Unlock()
	for range 2 {
		if err := l.Put(ctx); err != nil {
			return err
		}
	}
	if len(l.Left) > 1 {
		return failure.New(failure.Refused, "objects can't be deleted here (append-only?), so nothing can be pruned")
	}
	return nil
}

// prunePlan prunes what is stored under one key. Used by one goroutine.
type prunePlan struct {
	storage    stage.Storage
	generation *keyring.Generation
	lock       *lock.Lock
	result     *Pruning
	report     VerifyProgress

	snapshots []manifest.Ref
	needed    map[object.ID]struct{}
	lists     map[object.ID]struct{} // list chunks that were read: content may be the same bytes
	owned     map[object.ID]struct{} // needed chunks that a pack has
	packs     map[string]*packUse    // that are whole
	lost      []pack.Pack            // that indexes name, and are not there as they say
	remove    []string               // packs that are all waste
	repack    []string               // packs with too much waste, and small ones
}

// packUse is a pack and what of it stays.
type packUse struct {
	pack.Pack
	live  int64              // sealed bytes of needed chunks
	owned map[object.ID]bool // needed chunks of which this pack has the copy that stays
	keep  bool               // it stays as it is, whatever its waste
}

// survey finds out what can be removed. It changes nothing.
func (p *prunePlan) survey(ctx context.Context, maxWaste int) error {
	refs, _, err := listSnapshots(ctx, p.storage)
	if err != nil {
		return err
	}
	p.snapshots = slices.DeleteFunc(refs, func(ref manifest.Ref) bool { return ref.KID != p.generation.KID })
	index, err := pack.LoadIndex(ctx, p.storage, p.generation, true)
	if err != nil {
		return err
	}
	p.needed, p.lists = map[object.ID]struct{}{}, map[object.ID]struct{}{}
	chunks := pack.NewChunkReader(p.storage, p.generation, index)
	for _, ref := range p.snapshots {
		if err := p.need(ctx, chunks, ref); err != nil {
			return err
		}
	}
	p.result.Snapshots += len(p.snapshots)
	if err := p.loadPacks(ctx); err != nil {
		return err
	}
	p.assign()
	if err := p.checkCopies(ctx); err != nil {
		return err
	}
	p.decide(maxWaste)
	return nil
}

// need enters the chunks of a snapshot: those of its lists, and those that its lists name.
func (p *prunePlan) need(ctx context.Context, chunks *pack.ChunkReader, ref manifest.Ref) error {
	unknown := func(err error) error {
		return failure.New(failure.Refused, "which chunks snapshot %s needs is not known: %w; put a copy back, or remove the snapshot with vault forget", ref.ID, err)
	}
	snap, err := manifest.GetSnapshot(ctx, p.storage, p.generation, ref.ID, nil)
	if _, lost := object.AsDamage(err); lost {
		return unknown(err)
	}
	if err != nil {
		return err
	}
	var buf []byte
	var it manifest.Item
	for i := range snap.Units {
		for _, id := range snap.Units[i].List {
			if _, known := p.lists[id]; known {
				continue
			}
			data, err := chunks.Read(ctx, buf[:0], id)
			if err == nil {
				buf = data
				err = readListChunk(data, id, &it, func(it *manifest.Item) error {
					for _, r := range it.Refs {
						p.needed[r.Chunk] = struct{}{}
					}
					return nil
				})
			}
			if _, lost := object.AsDamage(err); lost {
				return unknown(fmt.Errorf("a part of the list of unit %s is damaged: %w", snap.Units[i].ID, err))
			}
			if err != nil {
				return err
			}
			p.needed[id], p.lists[id] = struct{}{}, struct{}{}
		}
	}
	return nil
}

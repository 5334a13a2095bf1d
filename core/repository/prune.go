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

// DefaultMaxWaste is the percentage of waste above which a pack is repacked.
const DefaultMaxWaste = 50

// PruneRequest configures Prune.
type PruneRequest struct {
	MaxWaste int // allowed waste in percent of a pack's bytes, 0 to 100
	DryRun   bool
	// Planned is called with the plan before anything is changed; it may be nil.
	Planned func(*Pruning)
	// Report is called with the bytes repacked so far, by one goroutine; it may be nil.
	Report VerifyProgress
}

// Pruning is the plan and result of Prune. Bytes count stored objects.
type Pruning struct {
	Snapshots int          `json:"snapshots"`     // whose chunks are kept
	Packs     int          `json:"packs"`         // in the repository
	Bytes     int64        `json:"bytes"`         // of these packs
	Waste     int64        `json:"waste_bytes"`   // not needed by any snapshot
	Remove    int          `json:"remove_packs"`  // packs that contain only waste
	Repack    int          `json:"repack_packs"`  // packs with more waste than allowed
	Merge     int          `json:"merge_packs"`   // small packs to be merged
	Rewrite   int64        `json:"rewrite_bytes"` // of chunks that are stored again
	Free      int64        `json:"free_bytes"`    // space that is freed
	Notes     []stage.Note `json:"notes,omitempty"`
}

func (p *Pruning) note(object, format string, args ...any) {
	p.Notes = append(p.Notes, stage.Note{Path: object, Text: fmt.Sprintf(format, args...)})
}

// Prune removes the chunks that no snapshot needs, under an exclusive lock. It deletes
// packs that contain only waste. It copies the needed chunks of small packs, and of packs
// with more waste than MaxWaste, to new packs and then deletes the old ones. It also
// merges small indexes.
//
// After a crash or an error at any step every snapshot still has all its chunks, and the
// next Prune continues. Chunks under keys that can't be opened are kept. The error is of
// class failure.Refused if the repository is locked, the storage does not delete, or the
// chunks that a snapshot needs can't be determined.
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
			result.note(object.KeysDir+kid, "data stored under this key is kept: %v", err)
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

// deletes returns an error if the storage does not delete objects. It is checked before
// chunks are repacked.
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

// prunePlan prunes the packs of one key. It is used by one goroutine.
type prunePlan struct {
	storage    stage.Storage
	generation *keyring.Generation
	lock       *lock.Lock
	result     *Pruning
	report     VerifyProgress

	snapshots []manifest.Ref
	needed    map[object.ID]struct{}
	lists     map[object.ID]struct{} // list chunks that were read; a content chunk may have the same ID
	owned     map[object.ID]struct{} // needed chunks that some pack contains
	packs     map[string]*packUse    // undamaged packs
	lost      []pack.Pack            // packs in indexes that are missing or have another size
	remove    []string               // packs that contain only waste
	repack    []string               // packs with too much waste, and small ones
}

// packUse is a pack and the use of its chunks.
type packUse struct {
	pack.Pack
	live  int64              // sealed bytes of needed chunks
	owned map[object.ID]bool // needed chunks whose copy in this pack is kept
	keep  bool               // the pack is kept regardless of its waste
}

// survey determines what can be removed. It changes nothing.
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

// need adds the chunks of a snapshot: its entry lists, and the content they reference.
func (p *prunePlan) need(ctx context.Context, chunks *pack.ChunkReader, ref manifest.Ref) error {
	unknown := func(err error) error {
		return failure.New(failure.Refused, "cannot determine which chunks snapshot %s needs: %w; restore the object from a copy, or remove the snapshot with vault forget", ref.ID, err)
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

package repository

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/repository/lock"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/repository/pack"
	"github.com/lmsvault/vault/core/stage"
)

// Destination is the target repository of Copy.
type Destination struct {
	Storage stage.Storage
	Config  SinkConfig // how a pipeline writes to it; Tags is ignored
	// Chain opens the repository if there is no pipeline for it. The copies are then
	// stored under the newest key that Chain opens, and Config.Transforms is ignored.
	// Chain must not have an identity: anyone can create a key for a recipient, and
	// could read everything that is stored under it.
	Chain *Chain
}

// copyTarget is an opened Destination.
type copyTarget struct {
	storage    stage.Storage
	key        manifest.SigningKey
	root       object.Root
	generation *keyring.Generation // to write under; nil in a dry run if there is none yet
	notes      []stage.Note
	open       func(ctx context.Context, kid string) (*keyring.Generation, error)

	lock   *lock.Lock
	chunks *pack.ChunkWriter // nil in a dry run
	packs  *pack.Loaded
	proof  *verifier

	refs    []manifest.Ref
	newest  manifest.Ref    // zero for none
	taken   map[string]bool // IDs that a new snapshot must not have
	removed map[string]bool // IDs of snapshots that were removed intentionally
}

// openDestination opens the repository, and unless dry is set locks it for writing.
func openDestination(ctx context.Context, d Destination, from *Repository, dry bool) (_ *copyTarget, err error) {
	w := &copyTarget{key: d.Config.SigningKey}
	if d.Chain != nil {
		err = w.openByChain(ctx, d, from, dry)
	} else {
		err = w.openAsSink(ctx, d, from, dry)
	}
	if err == nil {
		err = w.load(ctx, dry)
	}
	if err != nil {
		if w.storage != nil {
			err = errors.Join(err, w.close(ctx))
		}
		return nil, err
	}
	if from.sealed && w.generation != nil && !w.generation.Key.Encrypted() {
		w.notes = append(w.notes, stage.Note{Path: object.RootName, Text: "the copies are not encrypted, but the originals are"})
	}
	return w, nil
}

// openByChain opens a repository with its own keys.
func (w *copyTarget) openByChain(ctx context.Context, d Destination, from *Repository, dry bool) error {
	r, err := Open(ctx, d.Storage, *d.Chain)
	if err != nil {
		return err
	}
	w.storage, w.root, w.open = r.storage, r.root, r.generation
	if err := w.other(from); err != nil {
		return err
	}
	var newest time.Time
	for _, kid := range r.kids {
		e, err := r.generation(ctx, kid)
		if _, lost := object.AsDamage(err); lost || errors.Is(err, stage.ErrKey) {
			continue
		}
		if err != nil {
			return err
		}
		if w.generation == nil || e.Key.Created.After(newest) {
			w.generation, newest = e, e.Key.Created
		}
	}
	if w.generation == nil {
		return failure.New(failure.Refused, "the repository has no key yet; give a pipeline file that backs up to it instead of its directory, or make a backup there first")
	}
	return w.acquire(ctx, dry)
}

// openAsSink opens a repository as a pipeline does, and creates what is missing.
func (w *copyTarget) openAsSink(ctx context.Context, d Destination, from *Repository, dry bool) error {
	s := NewSink(d.Storage, d.Config)
	w.storage = s.storage
	var err error
	if s.target, err = s.find(ctx); err != nil {
		return err
	}
	w.root, w.notes = s.target.root, s.target.notes
	if err := w.other(from); err != nil {
		return err
	}
	if err := w.acquire(ctx, dry); err != nil {
		return err
	}
	if !dry {
		if s.target, err = s.find(ctx); err != nil {
			return err
		}
		if _, err := s.target.create(ctx, s.storage, s.transforms, time.Now()); err != nil {
			return err
		}
	}
	w.root, w.generation = s.target.root, s.target.generation
	w.open = func(_ context.Context, kid string) (*keyring.Generation, error) {
		if w.generation == nil || w.generation.KID != kid {
			return nil, stage.ErrKey // the transforms hold one key only
		}
		return w.generation, nil
	}
	return nil
}

// other refuses the source repository as target.
func (w *copyTarget) other(from *Repository) error {
	if w.root.ID != from.root.ID {
		return nil
	}
	return failure.New(failure.Refused, "source and target are the same repository, or one is a copy of the other (both have the ID %s); give another target", w.root.ID)
}

func (w *copyTarget) acquire(ctx context.Context, dry bool) (err error) {
	if dry {
		_, err = lock.CheckLocks(ctx, w.storage, lock.LockWrite, "", time.Now())
		return err
	}
	w.lock, err = lock.Acquire(ctx, w.storage, lock.LockWrite, "", lock.Refresh)
	return err
}

// load reads the index, snapshots and removals of the target.
func (w *copyTarget) load(ctx context.Context, dry bool) error {
	var err error
	if w.refs, _, err = listSnapshots(ctx, w.storage); err != nil {
		return err
	}
	w.taken, w.removed = map[string]bool{}, map[string]bool{}
	for _, ref := range w.refs {
		w.taken[ref.ID] = true
	}
	if w.generation == nil {
		return nil
	}
	if err := w.loadRemovals(ctx); err != nil {
		return err
	}
	for _, ref := range slices.Backward(w.refs) {
		if _, err := w.manifest(ctx, ref); err == nil || errors.Is(err, stage.ErrKey) && !ref.Early(time.Now()) {
			w.newest = ref
			break
		} else if _, lost := object.AsDamage(err); !lost && !errors.Is(err, stage.ErrKey) && !errors.Is(err, manifest.ErrUnsigned) {
			return err
		}
	}
	if dry {
		return nil
	}
	if w.packs, err = pack.LoadIndex(ctx, w.storage, w.generation, false); err != nil {
		return err
	}
	w.chunks = pack.NewChunkWriter(ctx, w.storage, w.generation, w.packs.Index)
	w.lock.WhenLost(w.chunks.Packer.Fail)
	w.proof = &verifier{findings: map[string]*Finding{}, lists: map[unitKey]bool{}}
	return nil
}

// loadRemovals reads which snapshots were removed intentionally from the records of the key.
func (w *copyTarget) loadRemovals(ctx context.Context) error {
	names, err := object.ListNames(ctx, w.storage, object.RemovalsDir+w.generation.KID+"/")
	if err != nil {
		return fmt.Errorf("listing removals: %w", err)
	}
	for _, name := range names {
		record, err := getRemoval(ctx, w.storage, w.generation, name, w.signers())
		if _, lost := object.AsDamage(err); lost || errors.Is(err, manifest.ErrUnsigned) {
			continue // Verify reports it
		}
		if err != nil {
			return err
		}
		for _, s := range record.Snapshots {
			w.taken[s.ID] = true
			w.removed[s.ID] = !slices.ContainsFunc(w.refs, func(ref manifest.Ref) bool { return ref.ID == s.ID })
		}
	}
	return nil
}

// signers returns the signers whose snapshots count; all count if there are none.
func (w *copyTarget) signers() []manifest.Signer {
	if w.key.IsZero() {
		return nil
	}
	return []manifest.Signer{w.key.Signer()}
}

func (w *copyTarget) manifest(ctx context.Context, ref manifest.Ref) (*manifest.Snapshot, error) {
	e, err := w.open(ctx, ref.KID)
	if err != nil {
		return nil, err
	}
	return manifest.GetSnapshot(ctx, w.storage, e, ref.ID, w.signers())
}

// copyOf returns the ID of the snapshot that is a copy of the original, or is the original
// itself. It returns "" if there is none. It only reads snapshots whose IDs begin with the
// same time, because a copy has the time of its original.
func (w *copyTarget) copyOf(ctx context.Context, original stage.Original) (id string, err error) {
	for _, ref := range w.refs {
		if len(original.Snapshot) < len(manifest.IdTime) || ref.ID[:len(manifest.IdTime)] != original.Snapshot[:len(manifest.IdTime)] {
			continue
		}
		same := ref.ID == original.Snapshot
		if same && w.root.ID == original.Repository {
			return ref.ID, nil
		}
		snap, err := w.manifest(ctx, ref)
		_, lost := object.AsDamage(err)
		switch {
		case err == nil:
			if snap.Original != nil && *snap.Original == original {
				return ref.ID, nil
			}
		case errors.Is(err, stage.ErrKey):
			if same {
				return ref.ID, nil
			}
		case lost, errors.Is(err, manifest.ErrUnsigned):
			if same {
				return "", &unreadableError{fmt.Errorf("the target has an unusable snapshot of this ID; remove it there with vault forget: %w", err)}
			}
		default:
			return "", err
		}
	}
	return "", nil
}

// newID returns an unused ID for a copy: the ID of the original, or another with the same time.
func (w *copyTarget) newID(id string) (string, error) {
	at, _ := manifest.IdMoment(id)
	for w.taken[id] {
		var err error
		if id, err = manifest.NewSnapshotID(at, ""); err != nil {
			return "", err
		}
	}
	w.taken[id] = true
	return id, nil
}

// prove reads the content of a snapshot back from the storage. The manifest need not exist.
func (w *copyTarget) prove(ctx context.Context, snap *manifest.Snapshot) error {
	reader := pack.NewChunkReader(w.storage, w.generation, w.packs)
	if err := w.proof.units(ctx, snap, reader, &visited{chunks: map[object.ID]struct{}{}}); err != nil {
		return err
	}
	if found := w.proof.sorted(); len(found) > 0 {
		return failure.New(failure.Unproven, "the copy is damaged (%d findings): %s: %s", len(found), found[0].Object, found[0].Problem)
	}
	sizes := maps.Clone(w.chunks.Packer.Sizes) // nothing is being put
	return packsThere(ctx, w.storage, w.generation, sizes)
}

// packsThere returns an error of class failure.Unproven unless all these packs are in
// the storage at their size.
func packsThere(ctx context.Context, s stage.Storage, e *keyring.Generation, missing map[string]int64) error {
	if err := s.List(ctx, object.PacksDir+e.KID+"/", func(o stage.Object) error {
		if name := path.Base(o.Name); missing[name] == o.Size {
			delete(missing, name)
		}
		return nil
	}); err != nil {
		return fmt.Errorf("listing packs: %w", err)
	}
	for name := range missing {
		return failure.New(failure.Unproven, "%s (and %d more) is missing or has another size; is something else modifying the repository?", object.PackName(e.KID, name), len(missing)-1)
	}
	return nil
}

// close cancels writes in progress, releases the lock and closes the storage.
func (w *copyTarget) close(ctx context.Context) error {
	if w.chunks != nil {
		w.chunks.Packer.Close()
	}
	return errors.Join(w.lock.Release(ctx), w.storage.Close(context.WithoutCancel(ctx)))
}

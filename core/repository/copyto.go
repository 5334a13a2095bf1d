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
	"github.com/lmsvault/vault/core/stage"
)

// Destination is the repository that Copy writes to.
type Destination struct {
	Storage stage.Storage
	Config  SinkConfig // how a pipeline writes there; Tags are not used
	// Chain opens the repository where no pipeline says how to write: what is copied
	// is stored under its newest key that can be opened, and Config.Transforms is not
	// used. It must not be given an identity: anybody can make a key for a recipient,
	// and could read what is stored under that.
	Chain *Chain
}

// copyTarget is a Destination at work.
type copyTarget struct {
	storage stage.Storage
	key     SigningKey
	root    root
	epoch   *epoch // to write under; nil in a dry run if there is none yet
	notes   []stage.Note
	open    func(ctx context.Context, kid string) (*epoch, error)

	lock   *lock
	chunks *chunkWriter // nil in a dry run
	packs  *loaded
	proof  *verifier

	refs    []snapshotRef
	newest  snapshotRef     // zero for none
	taken   map[string]bool // ids that no new snapshot may have
	removed map[string]bool // ids of snapshots that were removed on purpose
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
	if from.sealed && w.epoch != nil && !w.epoch.key.encrypted() {
		w.notes = append(w.notes, stage.Note{Path: rootName, Text: "the copies are not encrypted, and the originals are"})
	}
	return w, nil
}

// openByChain opens a repository with its own keys.
func (w *copyTarget) openByChain(ctx context.Context, d Destination, from *Repository, dry bool) error {
	r, err := Open(ctx, d.Storage, *d.Chain)
	if err != nil {
		return err
	}
	w.storage, w.root, w.open = r.storage, r.root, r.epoch
	if err := w.other(from); err != nil {
		return err
	}
	var newest time.Time
	for _, kid := range r.kids {
		e, err := r.epoch(ctx, kid)
		if _, lost := asDamage(err); lost || errors.Is(err, stage.ErrKey) {
			continue
		}
		if err != nil {
			return err
		}
		if w.epoch == nil || e.key.Created.After(newest) {
			w.epoch, newest = e, e.key.Created
		}
	}
	if w.epoch == nil {
		return failure.New(failure.Refused, "it has no key yet, which says how to store; give a pipeline file that backs up to it instead of its directory, or make a backup there first")
	}
	return w.acquire(ctx, dry)
}

// openAsSink opens a repository as a pipeline does, and makes what is not there yet.
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
	w.root, w.epoch = s.target.root, s.target.epoch
	w.open = func(_ context.Context, kid string) (*epoch, error) {
		if w.epoch == nil || w.epoch.kid != kid {
			return nil, stage.ErrKey // the transforms hold one key only
		}
		return w.epoch, nil
	}
	return nil
}

// other refuses the repository that is copied from.
func (w *copyTarget) other(from *Repository) error {
	if w.root.ID != from.root.ID {
		return nil
	}
	return failure.New(failure.Refused, "it is the repository that is copied from, or a copy of its files (both have the ID %s); give another one", w.root.ID)
}

func (w *copyTarget) acquire(ctx context.Context, dry bool) (err error) {
	if dry {
		_, err = checkLocks(ctx, w.storage, lockWrite, "", time.Now())
		return err
	}
	w.lock, err = acquire(ctx, w.storage, lockWrite, "", refresh)
	return err
}

// load learns what is there.
func (w *copyTarget) load(ctx context.Context, dry bool) error {
	var err error
	if w.refs, _, err = listSnapshots(ctx, w.storage); err != nil {
		return err
	}
	w.taken, w.removed = map[string]bool{}, map[string]bool{}
	for _, ref := range w.refs {
		w.taken[ref.id] = true
	}
	if w.epoch == nil {
		return nil
	}
	if err := w.loadRemovals(ctx); err != nil {
		return err
	}
	for _, ref := range slices.Backward(w.refs) {
		if _, err := w.manifest(ctx, ref); err == nil || errors.Is(err, stage.ErrKey) && !ref.early(time.Now()) {
			w.newest = ref
			break
		} else if _, lost := asDamage(err); !lost && !errors.Is(err, stage.ErrKey) && !errors.Is(err, ErrUnsigned) {
			return err
		}
	}
	if dry {
		return nil
	}
	if w.packs, err = loadIndex(ctx, w.storage, w.epoch, false); err != nil {
		return err
	}
	w.chunks = newChunkWriter(ctx, w.storage, w.epoch, w.packs.index)
	w.lock.whenLost(w.chunks.packer.fail)
	w.proof = &verifier{findings: map[string]*Finding{}, lists: map[unitKey]bool{}}
	return nil
}

// loadRemovals learns from the records of the key which snapshots were removed on purpose.
func (w *copyTarget) loadRemovals(ctx context.Context) error {
	names, err := listNames(ctx, w.storage, removalsDir+w.epoch.kid+"/")
	if err != nil {
		return fmt.Errorf("listing removals: %w", err)
	}
	for _, name := range names {
		record, err := getRemoval(ctx, w.storage, w.epoch, name, w.signers())
		if _, lost := asDamage(err); lost || errors.Is(err, ErrUnsigned) {
			continue // which verify reports
		}
		if err != nil {
			return err
		}
		for _, s := range record.Snapshots {
			w.taken[s.ID] = true
			w.removed[s.ID] = !slices.ContainsFunc(w.refs, func(ref snapshotRef) bool { return ref.id == s.ID })
		}
	}
	return nil
}

// signers are whose snapshots count; none for all.
func (w *copyTarget) signers() []Signer {
	if w.key.IsZero() {
		return nil
	}
	return []Signer{w.key.Signer()}
}

func (w *copyTarget) manifest(ctx context.Context, ref snapshotRef) (*Snapshot, error) {
	e, err := w.open(ctx, ref.kid)
	if err != nil {
		return nil, err
	}
	return getSnapshot(ctx, w.storage, e, ref.id, w.signers())
}

// copyOf returns the id of the snapshot that is a copy of the original, or is the
// original itself; "" if there is none. Ids begin with the time: only those of the
// same second are looked at.
func (w *copyTarget) copyOf(ctx context.Context, original stage.Original) (id string, err error) {
	for _, ref := range w.refs {
		if len(original.Snapshot) < len(idTime) || ref.id[:len(idTime)] != original.Snapshot[:len(idTime)] {
			continue
		}
		same := ref.id == original.Snapshot
		if same && w.root.ID == original.Repository {
			return ref.id, nil
		}
		snap, err := w.manifest(ctx, ref)
		_, lost := asDamage(err)
		switch {
		case err == nil:
			if snap.Original != nil && *snap.Original == original {
				return ref.id, nil
			}
		case errors.Is(err, stage.ErrKey):
			if same {
				return ref.id, nil
			}
		case lost, errors.Is(err, ErrUnsigned):
			if same {
				return "", &unreadableError{fmt.Errorf("a snapshot of this ID is there already and can't be used; remove it there with vault forget: %w", err)}
			}
		default:
			return "", err
		}
	}
	return "", nil
}

// newID returns the id for a copy: that of the original, or one of the same second.
func (w *copyTarget) newID(id string) (string, error) {
	at, _ := idMoment(id)
	for w.taken[id] {
		var err error
		if id, err = newSnapshotID(at, ""); err != nil {
			return "", err
		}
	}
	w.taken[id] = true
	return id, nil
}

// prove reads all of a snapshot back from the storage. It needs no manifest there.
func (w *copyTarget) prove(ctx context.Context, snap *Snapshot) error {
	reader := newChunkReader(w.storage, w.epoch, w.packs)
	if err := w.proof.units(ctx, snap, reader, &visited{chunks: map[ID]struct{}{}}); err != nil {
		return err
	}
	if found := w.proof.sorted(); len(found) > 0 {
		return failure.New(failure.Unproven, "what was stored does not come back (%d places): %s: %s", len(found), found[0].Object, found[0].Problem)
	}
	sizes := maps.Clone(w.chunks.packer.sizes) // nothing is being put
	return packsThere(ctx, w.storage, w.epoch, sizes)
}

// packsThere returns an error of class failure.Unproven unless all these packs are in
// the storage at their size.
func packsThere(ctx context.Context, s stage.Storage, e *epoch, missing map[string]int64) error {
	if err := s.List(ctx, packsDir+e.kid+"/", func(o stage.Object) error {
		if name := path.Base(o.Name); missing[name] == o.Size {
			delete(missing, name)
		}
		return nil
	}); err != nil {
		return fmt.Errorf("listing packs: %w", err)
	}
	for name := range missing {
		return failure.New(failure.Unproven, "%s (and %d more) is not in the storage as it was stored: is somebody else changing the repository?", packName(e.kid, name), len(missing)-1)
	}
	return nil
}

// close ends what is under way, gives the lock back and closes the storage.
func (w *copyTarget) close(ctx context.Context) error {
	if w.chunks != nil {
		w.chunks.packer.close()
	}
	return errors.Join(w.lock.release(ctx), w.storage.Close(context.WithoutCancel(ctx)))
}

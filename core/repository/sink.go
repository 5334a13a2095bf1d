package repository

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/repository/lock"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/repository/pack"
	"github.com/lmsvault/vault/core/stage"
)

// Sink writes one snapshot of rows and files. It implements stage.BaselineSink and
// stage.SnapshotSink.
type Sink struct {
	storage    *guarded
	transforms []keyring.Transform
	create     bool
	key        manifest.SigningKey
	tags       []string
	start      time.Time

	target *target // found by Check or Begin
	lock   *lock.Lock
	chunks *pack.ChunkWriter
	packs  *pack.Loaded // the index when the backup began
	history

	mu       sync.Mutex
	pipeline string
	tables   map[string]*manifest.Table
	order    []string                 // of tables
	units    map[string]manifest.Unit // committed units, by ID
	earlier  map[string]*earlier      // by unit ID, from Baseline to WriteFiles
	snapshot *manifest.Snapshot       // set once it is stored
}

// SinkConfig configures a Sink.
type SinkConfig struct {
	Transforms []keyring.Transform // in the order of the pipeline
	// Create makes Begin create a repository if the storage is empty. Otherwise
	// Check and Begin return ErrNoRepository.
	Create bool
	// SigningKey signs the snapshot. Unchanged files are then reused only from
	// snapshots signed with the same key.
	SigningKey manifest.SigningKey
	// Tags are stored in the snapshot, sorted and without duplicates. See
	// manifest.ValidateTag.
	Tags []string
}

// NewSink returns a Sink that writes to s. The Sink owns s.
func NewSink(s stage.Storage, c SinkConfig) *Sink {
	return &Sink{storage: guard(s), transforms: c.Transforms, create: c.Create, key: c.SigningKey, tags: manifest.SortedTags(c.Tags),
		units: map[string]manifest.Unit{}, earlier: map[string]*earlier{}}
}

// Check verifies that the repository can be written with these transforms. It writes nothing.
func (s *Sink) Check(ctx context.Context, p *stage.Plan) (stage.Findings, error) {
	var found stage.Findings
	var err error
	if s.target, err = s.find(ctx); err != nil {
		return found, err
	}
	if _, err := lock.CheckLocks(ctx, s.storage, lock.LockWrite, "", time.Now()); err != nil {
		return found, err
	}
	strays, err := strayNotes(ctx, s.storage)
	if err != nil {
		return found, err
	}
	found.Notes = append(slices.Clone(s.target.notes), strays...)
	note, err := s.room(ctx, p)
	if note != "" {
		found.Notes = append(found.Notes, stage.Note{Path: object.RootName, Text: note})
	}
	return found, err
}

// least is the best compression ratio that Check hopes for. It refuses a first backup if
// the free space is less than the size of the site divided by least.
const least = 20

func (s *Sink) room(ctx context.Context, p *stage.Plan) (note string, err error) {
	free, err := s.storage.Free(ctx)
	if err != nil {
		return "", failure.Wrap(failure.Refused, fmt.Errorf("cannot write to the repository: %w", err))
	}
	if free < 0 || s.target.generation != nil {
		return "", nil // how much of the site is stored already is not known yet
	}
	switch {
	case free < p.Bytes/least || free == 0:
		return "", failure.New(failure.Refused, "not enough space: %d MiB free, %d MiB needed by the site; free some space, or use another storage", free>>20, p.Bytes>>20)
	case free < p.Bytes:
		return fmt.Sprintf("%d MiB are free, and the site has %d MiB: it fits only if it compresses well", free>>20, p.Bytes>>20), nil
	}
	return "", nil
}

// Begin takes the lock, creates the repository and key if needed, and reads the index.
func (s *Sink) Begin(ctx context.Context, p *stage.Plan) error {
	s.start = time.Now()
	var err error
	if s.target, err = s.find(ctx); err != nil { // the disk may have been unmounted since Check
		return err
	}
	if s.lock, err = lock.Acquire(ctx, s.storage, lock.LockWrite, p.Pipeline, lock.Refresh); err != nil {
		return err
	}
	if s.target, err = s.find(ctx); err != nil {
		return err
	}
	e, err := s.target.create(ctx, s.storage, s.transforms, s.start)
	if err != nil {
		return err
	}
	if s.packs, err = pack.LoadIndex(ctx, s.storage, e, false); err != nil {
		return err
	}
	s.chunks = pack.NewChunkWriter(ctx, s.storage, e, s.packs.Index)
	s.lock.WhenLost(s.chunks.Packer.Fail) // stop writing, because there may be another writer
	if s.history, err = findHistory(ctx, s.storage, e, s.target.kids, p.Pipeline, p.Facts[moodle.SiteFact], s.start, s.signers()); err != nil {
		return err
	}
	s.pipeline = p.Pipeline
	s.tables = make(map[string]*manifest.Table, len(p.Tables))
	for _, t := range p.Tables {
		s.tables[t.Schema.Name] = &manifest.Table{Schema: t.Schema}
		s.order = append(s.order, t.Schema.Name)
	}
	return nil
}

// signers returns the signers that the sink trusts. If there are none, it trusts all snapshots.
func (s *Sink) signers() []manifest.Signer {
	if s.key.IsZero() {
		return nil
	}
	return []manifest.Signer{s.key.Signer()}
}

var errNotBegun = errors.New("the repository is used before Begin")

// Baseline returns the fingerprints of the unit's files in the previous snapshot.
func (s *Sink) Baseline(ctx context.Context, u stage.Unit) (stage.Baseline, error) {
	if s.chunks == nil {
		return nil, errNotBegun
	}
	e, err := s.readEarlier(ctx, u.ID)
	if err != nil || e == nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.earlier[u.ID] = e
	return e.baseline, nil
}

// WriteRows starts a unit of a table.
func (s *Sink) WriteRows(_ context.Context, u stage.Unit) (stage.RowUnit, error) {
	if s.chunks == nil {
		return nil, errNotBegun
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.tables[u.Table]; !ok || u.Part != stage.DB {
		return nil, fmt.Errorf("unit %s holds table %q, which the plan does not have", u.ID, u.Table)
	}
	return newRowUnit(s, u), nil
}

// WriteFiles starts a unit of files.
func (s *Sink) WriteFiles(_ context.Context, u stage.Unit) (stage.FileUnit, error) {
	if s.chunks == nil {
		return nil, errNotBegun
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w := newUnitWriter(s, u, s.earlier[u.ID])
	delete(s.earlier, u.ID)
	return w, nil
}

// commit adds a finished unit. It replaces the unit of an earlier attempt.
func (s *Sink) commit(u manifest.Unit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.units[u.ID] = u
}

// sum adds the units, tables and totals to a snapshot.
func (s *Sink) sum(snap *manifest.Snapshot) {
	tables := make(map[string]*manifest.Table, len(s.tables))
	for name, t := range s.tables {
		sum := *t
		tables[name] = &sum
	}
	for _, id := range slices.Sorted(maps.Keys(s.units)) {
		u := s.units[id]
		snap.Units = append(snap.Units, u)
		snap.Totals.Entries += u.Entries
		snap.Totals.Files += u.Files
		snap.Totals.Rows += u.Proof.Rows
		snap.Totals.Bytes += u.Bytes
		if t := tables[u.Table]; t != nil && u.Part == stage.DB {
			t.Proof.Merge(u.Proof)
			t.Bytes += u.Bytes
		}
	}
	for _, name := range s.order {
		snap.Tables = append(snap.Tables, *tables[name])
	}
}

// Finish flushes all packs and indexes, then stores the manifest. From then on the backup
// exists.
func (s *Sink) Finish(ctx context.Context, o *stage.Outcome) error {
	if s.chunks == nil {
		return errNotBegun
	}
	if err := s.chunks.Packer.Flush(ctx); err != nil {
		return err
	}
	if err := s.lock.Held(ctx); err != nil {
		return err
	}
	if err := s.chunks.Generation.Holds(ctx); err != nil {
		return err
	}
	snap, err := s.manifest(o)
	if err != nil {
		return err
	}
	if err := manifest.PutSnapshot(ctx, s.storage, s.chunks.Generation, snap, s.key); err != nil {
		return err
	}
	s.snapshot = snap
	return nil
}

func (s *Sink) manifest(o *stage.Outcome) (*manifest.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, err := manifest.NewSnapshotID(s.start, s.last)
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	snap := &manifest.Snapshot{
		Format: object.Format, ID: id, Start: s.start.UTC(), End: time.Now().UTC(), Host: host,
		Pipeline: s.pipeline, Version: manifest.Version(), Tags: s.tags, Facts: maps.Clone(o.Facts), Tables: []manifest.Table{},
		Units: []manifest.Unit{}, Losses: o.Losses, Notes: o.Notes, Log: o.Log, KID: s.chunks.Generation.KID,
	}
	if s.previous != nil {
		snap.Previous = s.previous.ID
	}
	if s.newest.ID != "" {
		snap.After = s.newest.String()
	}
	for name, n := range o.Dropped {
		if own := s.tables[name]; own != nil {
			own.Dropped = n
		}
	}
	for name, n := range o.Added {
		if own := s.tables[name]; own != nil {
			own.Added = n
		}
	}
	s.sum(snap)
	snap.Totals.New = s.chunks.NewBytes.Load()
	snap.Totals.Stored = s.chunks.Packer.Bytes()
	return snap, nil
}

// Prove reads the manifest back, and checks that every known pack is in the storage with
// its full size. It returns the proofs computed while the rows were stored; Verify
// recomputes them from the storage.
func (s *Sink) Prove(ctx context.Context) ([]stage.TableProof, error) {
	if s.snapshot == nil {
		return nil, errors.New("there is no finished snapshot to prove")
	}
	e := s.chunks.Generation
	snap, err := manifest.GetSnapshot(ctx, s.storage, e, s.snapshot.ID, s.signers())
	if err != nil {
		return nil, failure.Wrap(failure.Unproven, err)
	}
	missing := maps.Clone(s.chunks.Packer.Sizes) // no Put is running any more
	maps.Copy(missing, s.packs.Sizes)
	if err := packsThere(ctx, s.storage, e, missing); err != nil {
		return nil, err
	}
	proofs := make([]stage.TableProof, len(snap.Tables))
	for i, t := range snap.Tables {
		proofs[i] = stage.TableProof{Schema: t.Schema, Sum: t.Proof}
	}
	return proofs, nil
}

// Publish does nothing: the snapshot exists since Finish.
func (s *Sink) Publish(context.Context) error { return nil }

// Summary describes the snapshot of a run.
type Summary = stage.Summary

// Summary returns what Finish stored, or the zero value before Finish.
func (s *Sink) Summary() Summary {
	if s.snapshot == nil {
		return Summary{}
	}
	t := s.snapshot.Totals
	return Summary{Snapshot: s.snapshot.ID, Where: s.snapshot.Name(), Plain: t.Bytes, New: t.New, Stored: t.Stored}
}

// Abort cancels the backup without a snapshot. The next run reuses the chunks stored so
// far.
func (s *Sink) Abort(ctx context.Context) error {
	if s.chunks != nil {
		s.chunks.Packer.Close()
	}
	if s.snapshot == nil {
		return nil
	}
	name := s.snapshot.Name()
	s.snapshot = nil
	if err := s.storage.Delete(context.WithoutCancel(ctx), name); err != nil {
		return fmt.Errorf("deleting the unverified snapshot %s: %w", name, err)
	}
	return nil
}

// Close ends all goroutines, releases the lock and closes the storage.
func (s *Sink) Close(ctx context.Context) error {
	if s.chunks != nil {
		s.chunks.Packer.Close()
	}
	var err error
	if s.lock != nil {
		err = s.lock.Release(ctx)
		s.lock = nil
	}
	return errors.Join(err, s.storage.Close(ctx))
}

var (
	_ stage.RowSink      = (*Sink)(nil)
	_ stage.BaselineSink = (*Sink)(nil)
	_ stage.SnapshotSink = (*Sink)(nil)
)

package repository

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/repository/lock"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/repository/pack"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
)

// Finding is a damaged object, with at most maxNamed of the entries it contained.
type Finding = stage.Finding

// maxNamed bounds the entries that a Finding names.
const maxNamed = 100

// VerifyProgress is called while Verify runs, by one goroutine at a time.
type VerifyProgress func(done, total int64) // bytes of content and lists

// verifier holds the state of Verify. It is safe for concurrent use.
type verifier struct {
	repo   *Repository
	report VerifyProgress

	mu       sync.Mutex
	findings map[string]*Finding // by object and problem
	done     int64
	total    int64
	lists    map[unitKey]bool // already verified for another snapshot
	subset   *Subset          // of the packs whose content is read; nil for all
}

type unitKey struct{ kid, list string }

// Verify verifies snapshots from the storage alone. It unseals all their chunks and checks
// their IDs, and recomputes every list, table proof and file digest. A Choice without
// Snapshot selects all snapshots that it matches. The zero Choice selects the whole
// repository, including objects that no snapshot needs. Verify continues after damage and
// returns all findings; the error reports what prevented it from reading.
func (r *Repository) Verify(ctx context.Context, want Choice, report VerifyProgress) ([]Finding, error) {
	return r.verify(ctx, want, nil, report)
}

func (r *Repository) verify(ctx context.Context, want Choice, subset *Subset, report VerifyProgress) (found []Finding, err error) {
	l, err := lock.AcquireShared(ctx, r.storage)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Release(ctx)) }()
	v := &verifier{repo: r, report: report, findings: map[string]*Finding{}, lists: map[unitKey]bool{}, subset: subset}
	refs, err := v.snapshots(ctx, want)
	if err != nil {
		return nil, err
	}
	seen := map[string]*visited{} // by kid
	for _, ref := range refs {
		snap, err := r.load(ctx, ref)
		if errors.Is(err, stage.ErrNotExist) {
			if gone, err := v.removedNow(ctx, ref); err != nil || gone {
				if err != nil {
					return nil, err
				}
				continue
			}
		}
		if err != nil {
			return nil, err
		}
		if seen[snap.KID] == nil {
			seen[snap.KID] = &visited{chunks: map[object.ID]struct{}{}}
		}
		if err := v.snapshot(ctx, snap, seen[snap.KID]); err != nil {
			return nil, err
		}
	}
	if want == (Choice{}) {
		if subset != nil {
			v.done, v.total = 0, 0
		}
		for _, kid := range r.kids {
			if _, err := r.generation(ctx, kid); err != nil {
				continue // reported for the snapshots
			}
			if seen[kid] == nil {
				seen[kid] = &visited{chunks: map[object.ID]struct{}{}}
			}
			if err := v.objects(ctx, kid, seen[kid]); err != nil {
				return nil, err
			}
		}
	}
	return v.sorted(), nil
}

// snapshots returns the snapshots that want selects, and verifies their manifests. The zero
// Choice selects all; the keys are then verified too.
func (v *verifier) snapshots(ctx context.Context, want Choice) ([]manifest.Ref, error) {
	if want.Snapshot != "" {
		snap, err := v.repo.Load(ctx, want)
		if err != nil {
			return nil, err
		}
		v.total = snap.Totals.Bytes
		return []manifest.Ref{{KID: snap.KID, ID: snap.ID}}, nil
	}
	everything := want == Choice{}
	if everything {
		if err := v.keys(ctx); err != nil {
			return nil, err
		}
	}
	all, strays, err := listSnapshots(ctx, v.repo.storage)
	if err != nil {
		return nil, err
	}
	for _, name := range strays {
		if !everything {
			break
		}
		v.isDamage(&object.Damage{Object: name, Err: object.ErrStray}, nil)
	}
	var whole []manifest.Ref
	var others seriesSet
	there, named := map[manifest.Ref]bool{}, map[manifest.Ref]string{} // the value names the referencing object
	name := func(kid, previous, after, by string) {
		named[manifest.Ref{KID: kid, ID: previous}] = by
		kid, id, _ := strings.Cut(after, "/")
		named[manifest.Ref{KID: kid, ID: id}] = by
	}
	for _, ref := range slices.Backward(all) {
		there[ref] = true
		snap, err := v.repo.head(ctx, ref)
		switch {
		case err == nil && !isChosen(snap, want):
			others.add(snap)
		case err == nil:
			whole = append(whole, ref)
			v.total += snap.Totals.Bytes
			name(snap.KID, snap.Previous, snap.After, "the one after it, "+snap.ID+", names it")
		case keyIsLost(err): // before the next case, because it may wrap ErrNotExist
			v.isDamage(err, &manifest.Snapshot{ID: ref.ID})
		case errors.Is(err, stage.ErrNotExist): // removed since it was listed
			there[ref] = false
			named[ref] = "it was there just now"
		case errors.Is(err, stage.ErrKey) && everything: // reported with the key
		case errors.Is(err, stage.ErrKey):
			v.find(&Finding{Object: object.SnapshotName(ref.KID, ref.ID), Problem: fmt.Sprintf("the snapshot can't be verified, and whether it is of %s can't be told: %v", want, err)}, &manifest.Snapshot{ID: ref.ID})
		case errors.Is(err, manifest.ErrUnsigned):
			v.find(&Finding{Object: object.SnapshotName(ref.KID, ref.ID), Problem: manifest.ErrUnsigned.Error() + "; it may be forged"}, &manifest.Snapshot{ID: ref.ID})
		case !v.isDamage(err, &manifest.Snapshot{ID: ref.ID}):
			return nil, err
		}
	}
	if !everything && len(whole) == 0 && len(v.findings) == 0 {
		return nil, noMatch(want, others)
	}
	chain := name
	if !everything {
		chain = nil
	}
	removed, err := v.removed(ctx, chain)
	if err != nil {
		return nil, err
	}
	for ref, by := range named {
		if ref.ID != "" && !there[ref] && !removed.has(ref) {
			v.find(&Finding{Object: object.SnapshotName(ref.KID, ref.ID), Problem: "the snapshot is gone, and no removal is recorded: " + by}, nil)
		}
	}
	return whole, nil
}

// keyIsLost reports whether a snapshot can't be read because its key is missing or damaged.
func keyIsLost(err error) bool {
	d, ok := object.AsDamage(err)
	return ok && strings.HasPrefix(d.Object, object.KeysDir)
}

func (v *verifier) keys(ctx context.Context) error {
	names, err := object.ListNames(ctx, v.repo.storage, object.KeysDir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !object.IsName(name) {
			v.isDamage(&object.Damage{Object: object.KeysDir + name, Err: object.ErrStray}, nil)
		}
	}
	for _, kid := range v.repo.kids {
		_, bad, err := keyring.ReadAccesses(ctx, v.repo.storage, kid)
		if err != nil {
			return err
		}
		for _, err := range bad {
			if !v.isDamage(err, nil) {
				v.find(&Finding{Object: object.AccessDir + kid, Problem: err.Error()}, nil)
			}
		}
		_, err = v.repo.generation(ctx, kid)
		switch {
		case err == nil, v.isDamage(err, nil):
		case errors.Is(err, stage.ErrKey):
			v.find(&Finding{Object: object.KeysDir + kid, Problem: fmt.Sprintf("data stored under this key can't be verified: %v", err)}, nil)
		default:
			return err
		}
	}
	return nil
}

// visited is a set of chunks that were verified or found damaged.
type visited struct {
	mu     sync.Mutex
	chunks map[object.ID]struct{}
}

func (v *visited) add(id object.ID) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.chunks[id] = struct{}{}
}

func (v *visited) has(id object.ID) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, ok := v.chunks[id]
	return ok
}

// snapshot verifies every unit, and compares the proofs of tables with those of their units.
func (v *verifier) snapshot(ctx context.Context, snap *manifest.Snapshot, seen *visited) error {
	chunks, err := v.repo.chunks(ctx, snap.KID)
	if err != nil {
		return err
	}
	return v.units(ctx, snap, chunks, seen)
}

func (v *verifier) units(ctx context.Context, snap *manifest.Snapshot, chunks *pack.ChunkReader, seen *visited) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	sums := map[string]rows.Sum{}
	for i := range snap.Units {
		u := &snap.Units[i]
		if u.Part == stage.DB {
			sum := sums[u.Table]
			sum.Merge(u.Proof)
			sums[u.Table] = sum
		}
		group.Go(func() error { return v.unit(ctx, snap, u, chunks, seen) })
	}
	for _, t := range snap.Tables {
		if sums[t.Schema.Name] != t.Proof {
			v.find(&Finding{Object: snap.Name(), Problem: fmt.Sprintf("the units of table %s have proof %s, but the table has %s", t.Schema.Name, sums[t.Schema.Name], t.Proof)}, snap, stage.DB+"/"+t.Schema.Name)
		}
	}
	return group.Wait()
}

func (v *verifier) key(snap *manifest.Snapshot, u *manifest.Unit) unitKey {
	var b strings.Builder
	for _, id := range u.List {
		b.Write(id[:])
	}
	return unitKey{snap.KID, fmt.Sprintf("%s %d %d %s", b.String(), u.Entries, u.Bytes, u.Proof)}
}

func (v *verifier) sameAsBefore(snap *manifest.Snapshot, u *manifest.Unit) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.lists[v.key(snap, u)]
}

func (v *verifier) provedUnit(snap *manifest.Snapshot, u *manifest.Unit) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lists[v.key(snap, u)] = true
}

func (v *verifier) progress(n int64) {
	if v.report == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.done += n
	v.report(v.done, max(v.done, v.total))
}

// isDamage reports whether err is damage, and adds a finding if so.
func (v *verifier) isDamage(err error, snap *manifest.Snapshot) bool {
	d, ok := object.AsDamage(err)
	if !ok {
		return false
	}
	f := &Finding{Object: d.Object, Chunk: d.Chunk, Problem: d.Err.Error()}
	if snap != nil {
		v.find(f, snap, "all of snapshot "+snap.ID)
	} else {
		v.find(f, nil)
	}
	return true
}

// find adds a finding, or adds entries to an existing one for the same object and problem.
func (v *verifier) find(f *Finding, snap *manifest.Snapshot, entries ...string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := f.Object + "\x00" + f.Chunk + "\x00" + f.Problem
	if old := v.findings[key]; old != nil {
		f = old
	}
	v.findings[key] = f
	f.Lost += int64(len(entries))
	for _, e := range entries {
		if len(f.Entries) < maxNamed && !slices.Contains(f.Entries, e) {
			f.Entries = append(f.Entries, e)
		}
	}
	if snap != nil && !slices.Contains(f.Snapshots, snap.ID) {
		f.Snapshots = append(f.Snapshots, snap.ID)
	}
}

func (v *verifier) sorted() []Finding {
	v.mu.Lock()
	defer v.mu.Unlock()
	list := make([]Finding, 0, len(v.findings))
	for _, f := range v.findings {
		slices.Sort(f.Entries)
		list = append(list, *f)
	}
	slices.SortFunc(list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Object, b.Object), cmp.Compare(a.Chunk, b.Chunk), cmp.Compare(a.Problem, b.Problem))
	})
	return list
}

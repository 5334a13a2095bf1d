package repository

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository/lock"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

// ForgetRequest selects the snapshots to remove: those that Policy does not keep, or
// those in IDs.
type ForgetRequest struct {
	Policy stage.Keeper // a Policy
	Want   Choice       // limits Policy to matching snapshots
	IDs    []string     // IDs or unique prefixes; if given, Policy is ignored
	Key    manifest.SigningKey
	DryRun bool // remove nothing
}

// Forgotten is the result of Forget, or the plan of a dry run.
type Forgotten struct {
	Keep    []Kept
	Remove  []*manifest.Snapshot // oldest first; without Tables and Units
	Skipped []Listed             // unreadable; a policy never removes them
	Records []*Removal           // none in a dry run
}

// Kept is a snapshot that is kept, with the reasons.
type Kept struct {
	Snapshot *manifest.Snapshot
	Reasons  []string
}

// Forget removes snapshots, but not their chunks, which Prune removes. It first stores a
// record of the removal (see Removal). A policy applies to each site and pipeline separately
// and always keeps the newest snapshot of each; that one can only be removed by its ID. The
// error is of class failure.Refused if the repository is locked, or if a snapshot is
// signed and Key belongs neither to its signer nor to one of Chain.Signers. The call may
// be repeated after any error.
func (r *Repository) Forget(ctx context.Context, q ForgetRequest) (f *Forgotten, err error) {
	if q.DryRun {
		return r.planForget(ctx, q)
	}
	l, err := lock.Acquire(ctx, r.storage, lock.LockWrite, "", lock.Refresh)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Release(ctx)) }()
	if f, err = r.planForget(ctx, q); err != nil || len(f.Remove) == 0 {
		return f, err
	}
	reason := "IDs were given"
	if len(q.IDs) == 0 {
		reason = q.Policy.String()
	}
	f.Records, err = r.removeSnapshots(ctx, l, reason, f.Remove, q.Key)
	return f, err
}

func (r *Repository) planForget(ctx context.Context, q ForgetRequest) (*Forgotten, error) {
	var f *Forgotten
	var err error
	if len(q.IDs) > 0 {
		f, err = r.forgetIDs(ctx, q.IDs)
	} else {
		f, err = r.forgetByPolicy(ctx, q)
	}
	if err != nil {
		return nil, err
	}
	for _, s := range f.Remove {
		if err := r.mayRemove(s, q.Key); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// mayRemove refuses to remove a signed snapshot without a signature: Verify with signers
// would report it as deleted by someone else.
func (r *Repository) mayRemove(s *manifest.Snapshot, key manifest.SigningKey) error {
	by, signed := s.Signer()
	switch {
	case !signed && len(r.chain.Signers) == 0:
		return nil
	case key.IsZero():
		return failure.New(failure.Refused, "snapshot %s is signed, so its removal must be signed, too; give the signing key (--signing-key-file)", s.ID)
	case len(r.chain.Signers) > 0 && !slices.Contains(r.chain.Signers, key.Signer()):
		return failure.New(failure.Refused, "the signing key is %s, which is not one of the signers; give the key of a signer", key.Signer())
	case len(r.chain.Signers) == 0 && key.Signer() != by:
		return failure.New(failure.Refused, "snapshot %s is signed by %s, and the signing key is %s; give the same key, or name it a signer (--signer)", s.ID, by, key.Signer())
	}
	return nil
}

func (r *Repository) forgetIDs(ctx context.Context, ids []string) (*Forgotten, error) {
	refs, _, err := listSnapshots(ctx, r.storage)
	if err != nil {
		return nil, err
	}
	if len(refs) == 0 {
		return nil, errNoSnapshot
	}
	chosen := map[manifest.Ref]bool{}
	for _, id := range ids {
		ref, err := byID(refs, id)
		if err != nil {
			return nil, err
		}
		chosen[ref] = true
	}
	f := &Forgotten{}
	for _, ref := range refs {
		if !chosen[ref] {
			continue
		}
		s, err := r.head(ctx, ref)
		if _, lost := object.AsDamage(err); lost || errors.Is(err, manifest.ErrUnsigned) {
			if _, err := r.generation(ctx, ref.KID); err != nil {
				return nil, fmt.Errorf("snapshot %s can't be removed, because its removal can't be recorded: %w", ref.ID, err)
			}
			s, err = &manifest.Snapshot{ID: ref.ID, KID: ref.KID}, nil // it is damaged or forged
		}
		if err != nil {
			return nil, err
		}
		f.Remove = append(f.Remove, s)
	}
	return f, nil
}

func (r *Repository) forgetByPolicy(ctx context.Context, q ForgetRequest) (*Forgotten, error) {
	if p, ok := q.Policy.(Policy); q.Policy == nil || ok && p.IsZero() {
		return nil, failure.New(failure.Usage, "no retention policy and no snapshot IDs given")
	}
	list, err := r.Snapshots(ctx)
	if err != nil {
		return nil, err
	}
	if list, err = selected(list, q.Want); err != nil {
		return nil, err
	}
	f := &Forgotten{}
	bySeries := map[seriesKey][]*manifest.Snapshot{} // newest first
	for _, l := range slices.Backward(list) {
		if l.Snapshot == nil {
			_, lost := object.AsDamage(l.Err)
			if !lost && !errors.Is(l.Err, manifest.ErrUnsigned) && !errors.Is(l.Err, stage.ErrKey) {
				return nil, l.Err
			}
			f.Skipped = append(f.Skipped, l)
			continue
		}
		key := seriesKey{Site(l.Snapshot).ID, l.Snapshot.Pipeline}
		bySeries[key] = append(bySeries[key], l.Snapshot)
	}
	for _, all := range bySeries {
		ids := make([]string, len(all))
		for i, s := range all {
			ids[i] = s.ID
		}
		for i, why := range q.Policy.Keep(ids, time.Now()) {
			if why == nil {
				f.Remove = append(f.Remove, all[i])
			} else {
				f.Keep = append(f.Keep, Kept{all[i], why})
			}
		}
	}
	slices.SortFunc(f.Keep, func(a, b Kept) int { return compareIDs(a.Snapshot, b.Snapshot) })
	slices.SortFunc(f.Remove, compareIDs)
	slices.Reverse(f.Skipped)
	return f, nil
}

// seriesKey identifies the snapshots of one site made by one pipeline.
type seriesKey struct{ site, pipeline string }

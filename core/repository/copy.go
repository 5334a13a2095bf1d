package repository

import (
	"context"
	"errors"
	"fmt"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository/lock"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

// CopyRequest selects the snapshots to copy: those in IDs, or all that Want matches.
type CopyRequest struct {
	IDs    []string // IDs or unique prefixes
	Want   Choice   // ignored if there are IDs
	DryRun bool     // store nothing
	// Planned is called with the plan before anything is copied; it may be nil.
	Planned func(*Copying)
	// Report is called with the bytes of content copied and read back so far, by one
	// goroutine at a time; it may be nil.
	Report VerifyProgress
}

// Copying is the result of Copy, or the plan of a dry run. Its lists are sorted oldest
// first.
type Copying struct {
	Copy []Copied // copied or planned
	// There lists snapshots that were copied before, or originate from the target.
	There []Copied
	// Removed lists snapshots that were copied before and have since been removed from
	// the target. They are only copied again if IDs lists them.
	Removed []*manifest.Snapshot
	Failed  []Listed // not copied, because unreadable or damaged
	Notes   []stage.Note
}

// Copied is a snapshot and its copy.
type Copied struct {
	Snapshot *manifest.Snapshot // without Tables and Units
	ID       string             // of the copy; "" if it does not exist yet
	Totals   manifest.Totals    // of the copy
}

// Copy copies snapshots of r to another repository, under its keys. It reads the content,
// verifies its hashes, and stores what is new to the target. It then reads the copy back,
// and stores the manifest only if all checksums match. The copy has the time, site,
// pipeline, tags, losses and proofs of the original, and its ID unless another snapshot in
// the target has that ID. A crash leaves only packs, which the next copy reuses or Prune
// removes.
//
// A damaged snapshot is listed in Failed, and the others are still copied; the error is
// then of class failure.Unproven. The error is of class failure.Refused if both are the
// same repository, a repository is locked, or a key is wrong. Copy owns the target's
// storage.
func (r *Repository) Copy(ctx context.Context, to Destination, q CopyRequest) (result *Copying, err error) {
	w, err := openDestination(ctx, to, r, q.DryRun)
	if err != nil {
		return nil, fmt.Errorf("target repository: %w", err)
	}
	defer func() { err = errors.Join(err, w.close(ctx)) }()
	l, err := lock.AcquireShared(ctx, r.storage)
	if err != nil {
		return nil, fmt.Errorf("source repository: %w", err)
	}
	defer func() { err = errors.Join(err, l.Release(ctx)) }()
	c := newCopier(r, w, q.Report)
	if result, err = c.plan(ctx, q); err != nil {
		return nil, err
	}
	if q.Planned != nil {
		q.Planned(result)
	}
	if !q.DryRun {
		todo := result.Copy
		result.Copy = nil
		for i, s := range todo {
			done, err := c.snapshot(ctx, s.Snapshot)
			var bad *unreadableError
			if errors.As(err, &bad) && ctx.Err() == nil {
				result.Failed = append(result.Failed, Listed{ID: s.Snapshot.ID, Err: bad.err})
				continue
			}
			if err != nil {
				return result, fmt.Errorf("copying snapshot %s (%d of %d): %w", s.Snapshot.ID, i+1, len(todo), err)
			}
			result.Copy = append(result.Copy, done)
		}
	}
	return result, result.failed()
}

// failed returns the error for snapshots that could not be copied.
func (c *Copying) failed() error {
	if len(c.Failed) == 0 {
		return nil
	}
	first := c.Failed[0]
	if len(c.Failed) == 1 {
		return failure.New(failure.Unproven, "snapshot %s could not be copied: %w", first.ID, first.Err)
	}
	return failure.New(failure.Unproven, "%d snapshots could not be copied; the first is %s: %w", len(c.Failed), first.ID, first.Err)
}

// unreadableError reports that a single snapshot can't be copied.
type unreadableError struct{ err error }

func (e *unreadableError) Error() string { return e.err.Error() }

func (e *unreadableError) Unwrap() error { return e.err }

// unreadable wraps err in an unreadableError if it reports damage.
func unreadable(err error) error {
	if _, lost := object.AsDamage(err); lost {
		return &unreadableError{err}
	}
	return err
}

// plan determines which snapshots to copy.
func (c *copier) plan(ctx context.Context, q CopyRequest) (*Copying, error) {
	list, err := c.from.Snapshots(ctx)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errNoSnapshot
	}
	if len(q.IDs) > 0 {
		list, err = named(list, q.IDs)
	} else {
		list, err = selected(list, q.Want)
	}
	if err != nil {
		return nil, err
	}
	result := &Copying{Notes: c.to.notes}
	for _, l := range list {
		if l.Snapshot == nil {
			result.Failed = append(result.Failed, l)
			continue
		}
		id, err := c.to.copyOf(ctx, c.from.originalOf(l.Snapshot))
		var bad *unreadableError
		switch {
		case errors.As(err, &bad):
			result.Failed = append(result.Failed, Listed{ID: l.ID, Err: bad.err})
		case err != nil:
			return nil, err
		case id != "":
			c.copies[l.ID] = id
			result.There = append(result.There, Copied{Snapshot: l.Snapshot, ID: id})
		case c.to.removed[l.ID] && len(q.IDs) == 0:
			result.Removed = append(result.Removed, l.Snapshot)
		default:
			result.Copy = append(result.Copy, Copied{Snapshot: l.Snapshot})
			c.total += 2 * l.Snapshot.Totals.Bytes // once to copy, once to read back
		}
	}
	return result, nil
}

// named returns the snapshots in list that ids select.
func named(list []Listed, ids []string) ([]Listed, error) {
	refs := make([]manifest.Ref, len(list))
	for i, l := range list {
		refs[i] = manifest.Ref{ID: l.ID}
	}
	wanted := map[string]bool{}
	for _, id := range ids {
		if id == Latest {
			id = refs[len(refs)-1].ID
		}
		ref, err := byID(refs, id)
		if err != nil {
			return nil, err
		}
		wanted[ref.ID] = true
	}
	var chosen []Listed
	for _, l := range list {
		if wanted[l.ID] {
			chosen = append(chosen, l)
		}
	}
	return chosen, nil
}

// originalOf returns the first original of s, or s itself if it is not a copy.
func (r *Repository) originalOf(s *manifest.Snapshot) stage.Original {
	if s.Original != nil {
		return *s.Original
	}
	return stage.Original{Repository: r.root.ID, Snapshot: s.ID}
}

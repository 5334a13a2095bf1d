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

// CopyRequest says which snapshots Copy copies: those of IDs, or all that Want matches.
type CopyRequest struct {
	IDs    []string // or beginnings of one ID only
	Want   Choice   // looked at without IDs
	DryRun bool     // store nothing
	// Planned is told what is going to be copied, before it is; it may be nil.
	Planned func(*Copying)
	// Report is told of the bytes of content that were copied and read back, from one
	// goroutine at a time; it may be nil.
	Report VerifyProgress
}

// Copying is what Copy did, or would do. The lists begin with the oldest.
type Copying struct {
	Copy []Copied // that are copied, or are going to be
	// There are snapshots that were copied before, or come from there.
	There []Copied
	// Removed were copied before and removed there since. Only an ID copies them again.
	Removed []*manifest.Snapshot
	Failed  []Listed // that are not copied, because they can't be read or are damaged
	Notes   []stage.Note
}

// Copied is a snapshot and its copy.
type Copied struct {
	Snapshot *manifest.Snapshot // without Tables and Units
	ID       string             // of the copy; "" where it is not made yet
	Totals   manifest.Totals    // of the copy
}

// Copy stores snapshots of r in another repository, under that one's keys. Content
// is read, proved by its hashes, and stored as far as it is new there. Then it is read
// back, and only if that gives the same sums the copy becomes a snapshot: with the
// time, site, pipeline, tags, losses and proofs of the original, and with its ID unless
// another snapshot there has that. A crash leaves packs that the next copy uses or
// prune clears, and nothing else.
//
// A snapshot that is damaged is in Failed and does not keep Copy from the others; the
// error is of class failure.Unproven then. Errors of class failure.Refused: both are
// the same repository, a lock, a wrong key. Copy owns the destination's storage.
func (r *Repository) Copy(ctx context.Context, to Destination, q CopyRequest) (result *Copying, err error) {
	w, err := openDestination(ctx, to, r, q.DryRun)
	if err != nil {
		return nil, fmt.Errorf("the repository to copy to: %w", err)
	}
	defer func() { err = errors.Join(err, w.close(ctx)) }()
	l, err := lock.AcquireShared(ctx, r.storage)
	if err != nil {
		return nil, fmt.Errorf("the repository to copy from: %w", err)
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

// failed is the error of snapshots that could not be copied.
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

// unreadableError is why a snapshot can't be copied although all else works.
type unreadableError struct{ err error }

func (e *unreadableError) Error() string { return e.err.Error() }

func (e *unreadableError) Unwrap() error { return e.err }

// unreadable makes an unreadableError of damage.
func unreadable(err error) error {
	if _, lost := object.AsDamage(err); lost {
		return &unreadableError{err}
	}
	return err
}

// plan finds out which snapshots are to be copied.
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

// named finds the snapshots of a list that ids name.
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

// originalOf names the snapshot that s is, or that it was copied from first.
func (r *Repository) originalOf(s *manifest.Snapshot) stage.Original {
	if s.Original != nil {
		return *s.Original
	}
	return stage.Original{Repository: r.root.ID, Snapshot: s.ID}
}

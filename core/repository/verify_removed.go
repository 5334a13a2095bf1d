package repository

import (
	"context"
	"errors"

	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/stage"
)

// removedSet is what records say was removed on purpose.
type removedSet struct {
	refs   map[manifest.Ref]bool
	closed map[string]bool // keys of which a record can't be opened: what is gone there may be in it
}

func (s removedSet) has(ref manifest.Ref) bool { return s.refs[ref] || s.closed[ref.KID] }

// removed reads the records of removals. Where everything is verified, name is
// told of the snapshots that a record goes on naming, and records that can't be
// used are findings; else name is nil.
func (v *verifier) removed(ctx context.Context, name func(kid, previous, after, by string)) (removedSet, error) {
	set := removedSet{map[manifest.Ref]bool{}, map[string]bool{}}
	list, bad, err := v.repo.removals(ctx)
	if err != nil {
		return set, err
	}
	for _, r := range list {
		for _, s := range r.Snapshots {
			set.refs[manifest.Ref{KID: r.kid, ID: s.ID}] = true
			if name != nil {
				name(r.kid, s.Previous, s.After, "the record of the removal of "+s.ID+" names it")
			}
		}
	}
	for _, b := range bad {
		switch {
		case errors.Is(b.err, stage.ErrKey):
			set.closed[b.kid] = true
		case name == nil:
		case errors.Is(b.err, manifest.ErrUnsigned):
			v.find(&Finding{Object: b.objectName, Problem: "this record of a removal is " + manifest.ErrUnsigned.Error() + "; it may be forged, and does not count"}, nil)
		default:
			v.isDamage(b.err, nil)
		}
	}
	return set, nil
}

// removedNow tells whether a snapshot was removed on purpose while Verify works.
func (v *verifier) removedNow(ctx context.Context, ref manifest.Ref) (bool, error) {
	set, err := v.removed(ctx, nil)
	return set.has(ref), err
}

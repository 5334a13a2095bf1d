package repository

import (
	"context"
	"errors"

	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/stage"
)

// removedSet holds the snapshots that were removed intentionally, according to records.
type removedSet struct {
	refs   map[manifest.Ref]bool
	closed map[string]bool // keys that can't be opened; their records may list any missing snapshot
}

func (s removedSet) has(ref manifest.Ref) bool { return s.refs[ref] || s.closed[ref.KID] }

// removed reads the records of removals. If name is not nil, everything is verified:
// removed calls name for each snapshot that a record references, and reports unusable
// records as findings.
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

// removedNow reads the records again, and reports whether a snapshot was removed
// intentionally.
func (v *verifier) removedNow(ctx context.Context, ref manifest.Ref) (bool, error) {
	set, err := v.removed(ctx, nil)
	return set.has(ref), err
}

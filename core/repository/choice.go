package repository

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

// Latest is the ID that selects the newest snapshot.
const Latest = stage.Latest

// Choice selects a snapshot.
type Choice = stage.Choice

// Site returns the site of the snapshot. It is zero if the snapshot has no Moodle tables.
func Site(s *manifest.Snapshot) moodle.Site { return moodle.SiteOf(s.Facts) }

// isChosen reports whether the snapshot matches the site, pipeline and tags of c.
func isChosen(s *manifest.Snapshot, c Choice) bool {
	site := Site(s)
	return c.Matches(&stage.Snapshot{Pipeline: s.Pipeline, Site: site.ID, SiteName: site.Name, Tags: s.Tags})
}

var errNoSnapshot = failure.New(failure.Usage, "the repository has no finished snapshot yet")

// Load returns the snapshot that c selects. Latest selects the newest snapshot of the site
// and pipeline in c. If the matching snapshots are of several sites or pipelines, the
// error is of class failure.Refused and lists them. With signers, Latest skips snapshots
// that none of them has signed (see Snapshot.Skipped). If none is left, or a snapshot
// given by ID is not signed, the error wraps manifest.ErrUnsigned, of class failure.Refused.
func (r *Repository) Load(ctx context.Context, c Choice) (*manifest.Snapshot, error) {
	refs, _, err := listSnapshots(ctx, r.storage)
	if err != nil {
		return nil, err
	}
	if len(refs) == 0 {
		return nil, errNoSnapshot
	}
	if c.Snapshot == Latest || c.Snapshot == "" {
		ref, skipped, err := r.latest(ctx, refs, c)
		if err != nil {
			return nil, err
		}
		snap, err := r.load(ctx, ref)
		if err == nil {
			snap.Skipped = skipped
		}
		return snap, err
	}
	ref, err := byID(refs, c.Snapshot)
	if err != nil {
		return nil, err
	}
	snap, err := r.load(ctx, ref)
	if err == nil && !isChosen(snap, c) {
		return nil, failure.New(failure.Usage, "snapshot %s does not match %s; it is of %s", snap.ID, c, seriesOf(snap))
	}
	return snap, err
}

// byID returns the snapshot whose ID is want, or the only one whose ID begins with want.
func byID(refs []manifest.Ref, want string) (manifest.Ref, error) {
	var found []manifest.Ref
	for _, ref := range refs {
		if ref.ID == want {
			return ref, nil
		}
		if strings.HasPrefix(ref.ID, want) {
			found = append(found, ref)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return manifest.Ref{}, failure.New(failure.Usage, "there is no snapshot %q; the newest is %s (of %d)", want, refs[len(refs)-1].ID, len(refs))
	}
	return manifest.Ref{}, failure.New(failure.Usage, "%q matches %d snapshots, %s to %s; give more digits of the ID", want, len(found), found[0].ID, found[len(found)-1].ID)
}

// series describes the snapshots of one site made by one pipeline.
type series struct {
	site     moodle.Site // named as in its newest snapshot
	pipeline string
	newest   *manifest.Snapshot
	count    int
}

func seriesOf(s *manifest.Snapshot) series {
	return series{site: Site(s), pipeline: s.Pipeline, newest: s, count: 1}
}

// seriesSet groups snapshots that are added the newest first.
type seriesSet []series

func (set *seriesSet) add(s *manifest.Snapshot) {
	for i, old := range *set {
		if old.site.ID == Site(s).ID && old.pipeline == s.Pipeline {
			(*set)[i].count++
			return
		}
	}
	*set = append(*set, seriesOf(s))
}

// String lists the series, one per line.
func (set seriesSet) String() string {
	const most = 20
	var lines strings.Builder
	for _, s := range set[:min(most, len(set))] {
		fmt.Fprintf(&lines, "\n  %s (%d, newest %s)", s, s.count, s.newest.ID)
	}
	if more := len(set) - most; more > 0 {
		fmt.Fprintf(&lines, "\n  and %d more", more)
	}
	return lines.String()
}

func (s series) String() string {
	if s.site.ID == "" {
		return fmt.Sprintf("pipeline %q (no Moodle database)", s.pipeline)
	}
	return fmt.Sprintf("pipeline %q, site %s", s.pipeline, s.site)
}

// latest finds the newest snapshot that c matches, and the newer ones that it
// skipped because no trusted signer signed them. Damage is not skipped, unless the
// ID is in the future: the snapshot may be the one that is wanted.
func (r *Repository) latest(ctx context.Context, refs []manifest.Ref, c Choice) (newest manifest.Ref, skipped []manifest.Ref, err error) {
	var failed error // the error of reading the newest
	var found seriesSet
	var unsigned []manifest.Ref
	var others seriesSet // series that c doesn't match
	for _, ref := range slices.Backward(refs) {
		snap, err := r.head(ctx, ref)
		_, lost := object.AsDamage(err)
		switch {
		case errors.Is(err, manifest.ErrUnsigned):
			unsigned = append(unsigned, ref)
			if len(found) == 0 {
				skipped = unsigned
			}
			continue
		case lost || errors.Is(err, stage.ErrKey):
			if failed == nil && len(found) == 0 && !ref.Early(time.Now()) {
				failed = err
			}
			continue
		case err != nil:
			return manifest.Ref{}, nil, err
		case !isChosen(snap, c):
			others.add(snap)
			continue
		}
		found.add(snap)
		if c.Site != "" && c.Tags == "" && Site(snap).ID == c.Site && snap.Pipeline == c.Pipeline {
			break // no other ID can match
		}
	}
	switch {
	case failed != nil && len(found) > 0:
		return manifest.Ref{}, nil, fmt.Errorf("the newest snapshot can't be read: %w; the newest readable one is %s, select it by its ID", failed, found[0].newest.ID)
	case failed != nil:
		return manifest.Ref{}, nil, failed
	case len(found) == 0 && len(unsigned) > 0:
		return manifest.Ref{}, nil, noneSigned(c, len(unsigned), len(refs))
	case len(found) == 0 && c.String() != "":
		return manifest.Ref{}, nil, noMatch(c, others)
	case len(found) == 0:
		return manifest.Ref{}, nil, errNoSnapshot
	case len(found) > 1:
		return manifest.Ref{}, nil, ambiguous(found)
	}
	return manifest.Ref{KID: found[0].newest.KID, ID: found[0].newest.ID}, skipped, nil
}

// noneSigned returns the error for a Choice without a snapshot signed by a trusted signer.
func noneSigned(c Choice, unsigned, all int) error {
	of := ""
	if c.String() != "" {
		of = " of " + c.String()
	}
	return failure.New(failure.Refused, "no usable snapshot%s: %d of %d in the repository are %w (signers, --signer)", of, unsigned, all, manifest.ErrUnsigned)
}

// Skipped returns a note about the newer snapshots that Load skipped to reach this
// one, because no trusted signer signed them; ok is false if there were none.
func Skipped(s *manifest.Snapshot) (n stage.Note, ok bool) {
	if len(s.Skipped) == 0 {
		return stage.Note{}, false
	}
	newest := s.Skipped[0]
	what := "1 newer snapshot is"
	if len(s.Skipped) > 1 {
		what = fmt.Sprintf("%d newer snapshots, up to this one, are", len(s.Skipped))
	}
	return stage.Note{Path: object.SnapshotName(newest.KID, newest.ID), Text: fmt.Sprintf("%s skipped: %v; latest is %s", what, manifest.ErrUnsigned, s.ID)}, true
}

// ambiguous returns the error for a Choice that matches several series.
func ambiguous(set seriesSet) error {
	return failure.New(failure.Refused, "latest is ambiguous: the repository has snapshots of several sites or pipelines:%s\n"+
		"name the site, the pipeline or both (--site, --pipeline; in a pipeline file site and pipeline beside snapshot), or give an id", set)
}

// noMatch returns the error for a Choice without a matching snapshot; others lists the
// existing series.
func noMatch(c Choice, others seriesSet) error {
	if len(others) == 0 {
		return failure.New(failure.Usage, "there is no snapshot of %s", c)
	}
	return failure.New(failure.Usage, "there is no snapshot of %s; the repository has:%s", c, others)
}

// selected returns the snapshots of a list that c matches, and those that can't be read.
// If c is not empty and no snapshot matches, the error is of class failure.Usage and lists
// the existing ones.
func selected(list []Listed, c Choice) ([]Listed, error) {
	var chosen []Listed
	var others seriesSet
	matches := false
	for _, l := range slices.Backward(list) {
		switch {
		case l.Snapshot == nil:
		case isChosen(l.Snapshot, c):
			matches = true
		default:
			others.add(l.Snapshot)
			continue
		}
		chosen = append(chosen, l)
	}
	if !matches && c.String() != "" {
		return nil, noMatch(c, others)
	}
	slices.Reverse(chosen)
	return chosen, nil
}

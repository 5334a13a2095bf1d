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
	"github.com/lmsvault/vault/core/stage"
)

// Latest is the name under which Load finds the newest snapshot.
const Latest = stage.Latest

// Choice names a snapshot.
type Choice = stage.Choice

// Site tells which site the snapshot is of, as far as it holds tables.
func (s *Snapshot) Site() moodle.Site { return moodle.SiteOf(s.Facts) }

// matches tells whether a snapshot is of the site and the pipeline, and has the tags.
func (s *Snapshot) matches(c Choice) bool {
	site := s.Site()
	return c.Matches(&stage.Snapshot{Pipeline: s.Pipeline, Site: site.ID, SiteName: site.Name, Tags: s.Tags})
}

var errNoSnapshot = failure.New(failure.Usage, "the repository has no finished snapshot yet")

// Load returns the snapshot that is chosen. Latest is the newest of the site and
// the pipeline that are named; where the snapshots that are left are of several,
// the error, of class failure.Refused, lists them. With signers, Latest skips what
// none of them has signed, see Snapshot.Skipped; if nothing is left, or the snapshot
// that an id names isn't signed, the error is ErrUnsigned, of class failure.Refused.
func (r *Repository) Load(ctx context.Context, c Choice) (*Snapshot, error) {
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
			snap.skipped = skipped
		}
		return snap, err
	}
	ref, err := byID(refs, c.Snapshot)
	if err != nil {
		return nil, err
	}
	snap, err := r.load(ctx, ref)
	if err == nil && !snap.matches(c) {
		return nil, failure.New(failure.Usage, "snapshot %s is not of %s, but of %s", snap.ID, c, seriesOf(snap))
	}
	return snap, err
}

// byID finds the snapshot that want is the id of, or the beginning of the only id.
func byID(refs []snapshotRef, want string) (snapshotRef, error) {
	var found []snapshotRef
	for _, ref := range refs {
		if ref.id == want {
			return ref, nil
		}
		if strings.HasPrefix(ref.id, want) {
			found = append(found, ref)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return snapshotRef{}, failure.New(failure.Usage, "there is no snapshot %q; the newest is %s (of %d)", want, refs[len(refs)-1].id, len(refs))
	}
	return snapshotRef{}, failure.New(failure.Usage, "%q stands for %d snapshots, %s to %s: write more of the id", want, len(found), found[0].id, found[len(found)-1].id)
}

// series is the snapshots of one site, made by one pipeline.
type series struct {
	site     moodle.Site // with the name in its newest snapshot
	pipeline string
	newest   *Snapshot
	count    int
}

func seriesOf(s *Snapshot) series {
	return series{site: s.Site(), pipeline: s.Pipeline, newest: s, count: 1}
}

// seriesSet groups snapshots that are added the newest first.
type seriesSet []series

func (set *seriesSet) add(s *Snapshot) {
	for i, old := range *set {
		if old.site.ID == s.Site().ID && old.pipeline == s.Pipeline {
			(*set)[i].count++
			return
		}
	}
	*set = append(*set, seriesOf(s))
}

// String lists the series, one a line.
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
func (r *Repository) latest(ctx context.Context, refs []snapshotRef, c Choice) (newest snapshotRef, skipped []snapshotRef, err error) {
	var failed error // why the newest can't be read
	var found seriesSet
	var unsigned []snapshotRef
	var others seriesSet // what c doesn't match
	for _, ref := range slices.Backward(refs) {
		snap, err := r.head(ctx, ref)
		_, lost := asDamage(err)
		switch {
		case errors.Is(err, ErrUnsigned):
			unsigned = append(unsigned, ref)
			if len(found) == 0 {
				skipped = unsigned
			}
			continue
		case lost || errors.Is(err, stage.ErrKey):
			if failed == nil && len(found) == 0 && !ref.early(time.Now()) {
				failed = err
			}
			continue
		case err != nil:
			return snapshotRef{}, nil, err
		case !snap.matches(c):
			others.add(snap)
			continue
		}
		found.add(snap)
		if c.Site != "" && c.Tags == "" && snap.Site().ID == c.Site && snap.Pipeline == c.Pipeline {
			break // nothing else can match
		}
	}
	switch {
	case failed != nil && len(found) > 0:
		return snapshotRef{}, nil, fmt.Errorf("the newest snapshot can't be read: %w; the newest that can is %s: ask for that one by its id", failed, found[0].newest.ID)
	case failed != nil:
		return snapshotRef{}, nil, failed
	case len(found) == 0 && len(unsigned) > 0:
		return snapshotRef{}, nil, noneSigned(c, len(unsigned), len(refs))
	case len(found) == 0 && c.String() != "":
		return snapshotRef{}, nil, noMatch(c, others)
	case len(found) == 0:
		return snapshotRef{}, nil, errNoSnapshot
	case len(found) > 1:
		return snapshotRef{}, nil, ambiguous(found)
	}
	return snapshotRef{found[0].newest.kid, found[0].newest.ID}, skipped, nil
}

// noneSigned is the error when c matches no snapshot that a trusted signer signed.
func noneSigned(c Choice, unsigned, all int) error {
	of := ""
	if c.String() != "" {
		of = " of " + c.String()
	}
	return failure.New(failure.Refused, "no usable snapshot%s: %d of %d in the repository are %w (signers, --signer)", of, unsigned, all, ErrUnsigned)
}

// Skipped returns a note about the newer snapshots that Load skipped to reach this
// one, because no trusted signer signed them; ok is false if there were none.
func (s *Snapshot) Skipped() (n stage.Note, ok bool) {
	if len(s.skipped) == 0 {
		return stage.Note{}, false
	}
	newest := s.skipped[0]
	what := "1 newer snapshot is"
	if len(s.skipped) > 1 {
		what = fmt.Sprintf("%d newer snapshots, up to this one, are", len(s.skipped))
	}
	return stage.Note{Path: snapshotName(newest.kid, newest.id), Text: fmt.Sprintf("%s skipped: %v; latest is %s", what, ErrUnsigned, s.ID)}, true
}

// ambiguous lists what latest could be the newest of.
func ambiguous(set seriesSet) error {
	return failure.New(failure.Refused, "latest is ambiguous: the repository has snapshots of several sites or pipelines:%s\n"+
		"name the site, the pipeline or both (--site, --pipeline; in a pipeline file site and pipeline beside snapshot), or give an id", set)
}

// noMatch is the error when c matches no snapshot; others are those that exist.
func noMatch(c Choice, others seriesSet) error {
	if len(others) == 0 {
		return failure.New(failure.Usage, "there is no snapshot of %s", c)
	}
	return failure.New(failure.Usage, "there is no snapshot of %s; the repository has:%s", c, others)
}

// selected returns what a list has of the site and the pipeline, and what can't be
// read. If c names one of them and no snapshot matches, the error, of class
// failure.Usage, lists those that exist.
func selected(list []Listed, c Choice) ([]Listed, error) {
	var chosen []Listed
	var others seriesSet
	matches := false
	for _, l := range slices.Backward(list) {
		switch {
		case l.Snapshot == nil:
		case l.Snapshot.matches(c):
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

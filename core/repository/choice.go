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
const Latest = "latest"

// Choice names a snapshot.
type Choice struct {
	Snapshot string // an id, the beginning of one id only, or Latest
	Site     string // only of this site, by identifier or name; "" for any
	Pipeline string // only of this pipeline; "" for any
}

// Site tells which site the snapshot is of, as far as it holds tables.
func (s *Snapshot) Site() moodle.Site { return moodle.SiteOf(s.Facts) }

// Matches tells whether a snapshot is of the site and the pipeline.
func (c Choice) Matches(s *Snapshot) bool {
	site := s.Site()
	return (c.Pipeline == "" || c.Pipeline == s.Pipeline) &&
		(c.Site == "" || c.Site == site.ID || c.Site == site.Name)
}

// String names what Matches wants.
func (c Choice) String() string {
	var words []string
	if c.Site != "" {
		words = append(words, fmt.Sprintf("site %q", c.Site))
	}
	if c.Pipeline != "" {
		words = append(words, fmt.Sprintf("pipeline %q", c.Pipeline))
	}
	return strings.Join(words, " and ")
}

var errNoSnapshot = failure.New(failure.Refused, "the repository has no finished snapshot yet")

// Load returns the snapshot that is chosen. Latest is the newest of the site and
// the pipeline that are named; where the snapshots that are left are of several,
// the error, of class failure.Refused, lists them.
func (r *Repository) Load(ctx context.Context, c Choice) (*Snapshot, error) {
	refs, _, err := listSnapshots(ctx, r.storage)
	if err != nil {
		return nil, err
	}
	if len(refs) == 0 {
		return nil, errNoSnapshot
	}
	if c.Snapshot == Latest || c.Snapshot == "" {
		ref, err := r.latest(ctx, refs, c)
		if err != nil {
			return nil, err
		}
		return r.load(ctx, ref)
	}
	ref, err := byID(refs, c.Snapshot)
	if err != nil {
		return nil, err
	}
	snap, err := r.load(ctx, ref)
	if err == nil && !c.Matches(snap) {
		return nil, failure.New(failure.Usage, "snapshot %s is not of %s, but of %s", snap.ID, c, kindOf(snap))
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

// kind is what latest must not mix: snapshots of one site, made by one pipeline.
type kind struct{ site, pipeline string }

// kindly is what there is of a kind.
type kindly struct {
	site     moodle.Site // with the name of the newest
	pipeline string
	newest   snapshotRef
	count    int
}

func kindOf(s *Snapshot) string { return kindly{site: s.Site(), pipeline: s.Pipeline}.String() }

func (k kindly) String() string {
	if k.site.ID == "" {
		return fmt.Sprintf("pipeline %q, without tables of a Moodle site", k.pipeline)
	}
	return fmt.Sprintf("pipeline %q, site %s", k.pipeline, k.site)
}

// latest finds the newest snapshot that c matches. One that can't be read is not
// passed over in silence, for it may be newer, unless its ID is in the future.
func (r *Repository) latest(ctx context.Context, refs []snapshotRef, c Choice) (snapshotRef, error) {
	var failed error // why the newest can't be read
	kinds := map[kind]*kindly{}
	var order []*kindly // the newest first
	for _, ref := range slices.Backward(refs) {
		snap, err := r.head(ctx, ref)
		if _, lost := asDamage(err); err != nil && !lost && !errors.Is(err, stage.ErrKey) && !errors.Is(err, ErrUnsigned) {
			return snapshotRef{}, err
		}
		if err != nil {
			if failed == nil && len(order) == 0 && !ref.early(time.Now()) {
				failed = err
			}
			continue
		}
		if !c.Matches(snap) {
			continue
		}
		id := kind{snap.Site().ID, snap.Pipeline}
		if kinds[id] == nil {
			kinds[id] = &kindly{site: snap.Site(), pipeline: snap.Pipeline, newest: ref}
			order = append(order, kinds[id])
		}
		kinds[id].count++
		if id == (kind{c.Site, c.Pipeline}) && id.site != "" {
			break // nothing else can match
		}
	}
	switch {
	case failed != nil && len(order) > 0:
		return snapshotRef{}, fmt.Errorf("the newest snapshot can't be read: %w; the newest that can is %s: ask for that one by its id", failed, order[0].newest.id)
	case failed != nil:
		return snapshotRef{}, failed
	case len(order) == 0 && c.String() != "":
		return snapshotRef{}, failure.New(failure.Usage, "there is no snapshot of %s; vault snapshots lists all", c)
	case len(order) == 0:
		return snapshotRef{}, errNoSnapshot
	case len(order) > 1:
		return snapshotRef{}, ambiguous(order)
	}
	return order[0].newest, nil
}

// ambiguous lists what latest could be the newest of.
func ambiguous(kinds []*kindly) error {
	const most = 20
	var lines strings.Builder
	for _, k := range kinds[:min(most, len(kinds))] {
		fmt.Fprintf(&lines, "\n  %s (%d, newest %s)", k, k.count, k.newest.id)
	}
	if more := len(kinds) - most; more > 0 {
		fmt.Fprintf(&lines, "\n  and %d more", more)
	}
	return failure.New(failure.Refused, "latest is ambiguous: the repository has snapshots of several sites or pipelines:%s\n"+
		"name the site, the pipeline or both (--site, --pipeline; in a pipeline file site and pipeline beside snapshot), or give an id", lines.String())
}

package repository

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
)

// idTime is how the id of a snapshot begins.
const idTime = "20060102-150405"

// idRandom is how many digits follow it, after a hyphen.
const idRandom = 8

// newSnapshotID makes an id of a moment that is later than that of last, an id
// or "": ids sort as the snapshots were made, also when several fall into a
// second or a clock was put back.
func newSnapshotID(now time.Time, last string) (string, error) {
	var raw [idRandom / 2]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return "", fmt.Errorf("making a snapshot's name: %w", err)
	}
	now = now.UTC().Truncate(time.Second)
	if t, ok := idMoment(last); ok && !now.After(t) {
		now = t.Add(time.Second)
	}
	return now.Format(idTime) + "-" + hex.EncodeToString(raw[:]), nil
}

// idMoment returns the moment that an id names, and whether it is an id at all.
func idMoment(id string) (time.Time, bool) {
	moment, random, ok := strings.Cut(id[min(len(id), len("20060102-")):], "-")
	if !ok || len(random) != idRandom || strings.Trim(random, "0123456789abcdef") != "" {
		return time.Time{}, false
	}
	moment = id[:len("20060102-")] + moment
	t, err := time.Parse(idTime, moment)
	return t, err == nil && t.Format(idTime) == moment
}

// maxAhead is how far a name may be ahead of the clock that reads it. What is
// further was not named by a clock that anybody set right, and is believed only
// with the manifest that goes with it.
const maxAhead = 24 * time.Hour

// snapshotRef is where a snapshot is, known from its name alone: whether there
// is one shows only its manifest.
type snapshotRef struct{ kid, id string }

// early reports whether the ID is in the future.
func (r snapshotRef) early(now time.Time) bool {
	t, _ := idMoment(r.id)
	return t.After(now.Add(maxAhead))
}

func (r snapshotRef) String() string { return r.kid + "/" + r.id }

// listSnapshots returns all snapshots, the oldest first, and names that are not a snapshot's.
func listSnapshots(ctx context.Context, s stage.Storage) (refs []snapshotRef, strays []string, err error) {
	err = s.List(ctx, snapshotDir, func(o stage.Object) error {
		kid, id := path.Split(strings.TrimPrefix(o.Name, snapshotDir))
		kid = strings.TrimSuffix(kid, "/")
		if _, ok := idMoment(id); !ok || !isName(kid) {
			strays = append(strays, o.Name)
			return nil
		}
		refs = append(refs, snapshotRef{kid, id})
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("listing snapshots: %w", err)
	}
	slices.SortFunc(refs, compareRefs)
	slices.Sort(strays)
	return refs, strays, nil
}

// compareRefs orders snapshots, the oldest first.
func compareRefs(a, b snapshotRef) int {
	return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.kid, b.kid))
}

func compareIDs(a, b *Snapshot) int {
	return compareRefs(snapshotRef{a.kid, a.ID}, snapshotRef{b.kid, b.ID})
}

var errStray = fmt.Errorf("%w: not a Vault object; it is ignored and safe to delete", stage.ErrCorrupt)

const earlyText = "the snapshot ID is in the future; unless a clock was wrong when it was made, somebody else put it there"

// strayNotes lists objects among the snapshots that are not snapshots of Vault, and
// snapshots whose ID is in the future.
func strayNotes(ctx context.Context, s stage.Storage) ([]stage.Note, error) {
	refs, strays, err := listSnapshots(ctx, s)
	var notes []stage.Note
	for _, name := range strays {
		notes = append(notes, stage.Note{Path: name, Text: errStray.Error()})
	}
	for _, ref := range refs {
		if ref.early(time.Now()) {
			notes = append(notes, stage.Note{Path: snapshotName(ref.kid, ref.id), Text: earlyText})
		}
	}
	return notes, err
}

// history is what a new snapshot follows.
type history struct {
	previous *Snapshot   // the newest of its pipeline, site and key that can be read; nil for none
	newest   snapshotRef // of all, as far as they can be read; zero for none
	last     string      // the id to be later than, also where that can't be read; "" for none
}

// findHistory reads manifests of an epoch, the newest first, until one is of the
// pipeline and the site, and of the signers where there are any: a new snapshot
// would vouch for content of the one before. Manifests under other keys are known by their names.
func findHistory(ctx context.Context, s stage.Storage, e *epoch, kids []string, pipeline, site string, now time.Time, signers []Signer) (h history, err error) {
	refs, _, err := listSnapshots(ctx, s)
	if err != nil {
		return h, err
	}
	for _, ref := range slices.Backward(refs) {
		var snap *Snapshot
		lost := !slices.Contains(kids, ref.kid)
		if ref.kid == e.kid {
			snap, err = getSnapshot(ctx, s, e, ref.id, signers)
			_, lost = asDamage(err) // which verify tells
			lost = lost || errors.Is(err, ErrUnsigned)
			if err != nil && !lost {
				return h, err
			}
		}
		if snap == nil && ref.early(now) {
			continue
		}
		h.last = cmp.Or(h.last, ref.id)
		if h.newest.id == "" && !lost {
			h.newest = ref
		}
		if snap != nil && snap.Pipeline == pipeline && snap.Site().ID == site {
			h.previous = snap
			return h, nil
		}
	}
	return h, nil
}

// Previous tells what the newest snapshot of the pipeline and site holds, as far as it
// can be read with what the sink was given.
func (s *Sink) Previous(ctx context.Context, p *stage.Plan) (*stage.Holdings, error) {
	if s.target == nil || s.target.epoch == nil {
		return nil, nil
	}
	h, err := findHistory(ctx, s.storage, s.target.epoch, s.target.kids, p.Pipeline, p.Facts[moodle.SiteFact], time.Now(), s.signers())
	if err != nil || h.previous == nil {
		return nil, err
	}
	held := &stage.Holdings{Snapshot: h.previous.ID, Parts: map[string]stage.Amount{}}
	for _, u := range h.previous.Units {
		sum := held.Parts[u.Part]
		sum.Rows += u.Proof.Rows
		if u.Part != stage.DB {
			sum.Files += u.Files
			sum.Bytes += u.Bytes
		}
		held.Parts[u.Part] = sum
	}
	return held, nil
}

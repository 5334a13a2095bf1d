package repository

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

// listSnapshots returns all snapshots, oldest first, and the names of stray objects.
func listSnapshots(ctx context.Context, s stage.Storage) (refs []manifest.Ref, strays []string, err error) {
	err = s.List(ctx, object.SnapshotDir, func(o stage.Object) error {
		kid, id := path.Split(strings.TrimPrefix(o.Name, object.SnapshotDir))
		kid = strings.TrimSuffix(kid, "/")
		if _, ok := manifest.IdMoment(id); !ok || !object.IsName(kid) {
			strays = append(strays, o.Name)
			return nil
		}
		refs = append(refs, manifest.Ref{KID: kid, ID: id})
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("listing snapshots: %w", err)
	}
	slices.SortFunc(refs, compareRefs)
	slices.Sort(strays)
	return refs, strays, nil
}

// compareRefs orders snapshots, oldest first.
func compareRefs(a, b manifest.Ref) int {
	return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.KID, b.KID))
}

func compareIDs(a, b *manifest.Snapshot) int {
	return compareRefs(manifest.Ref{KID: a.KID, ID: a.ID}, manifest.Ref{KID: b.KID, ID: b.ID})
}

const earlyText = "the snapshot ID is in the future; if no clock was wrong when it was made, the snapshot may be forged"

// strayNotes lists objects among the snapshots that are not snapshots of Vault, and
// snapshots whose ID is in the future.
func strayNotes(ctx context.Context, s stage.Storage) ([]stage.Note, error) {
	refs, strays, err := listSnapshots(ctx, s)
	var notes []stage.Note
	for _, name := range strays {
		notes = append(notes, stage.Note{Path: name, Text: object.ErrStray.Error()})
	}
	for _, ref := range refs {
		if ref.Early(time.Now()) {
			notes = append(notes, stage.Note{Path: object.SnapshotName(ref.KID, ref.ID), Text: earlyText})
		}
	}
	return notes, err
}

// history describes the snapshots that precede a new one.
type history struct {
	previous *manifest.Snapshot // the newest readable one of its pipeline, site and key; nil if none
	newest   manifest.Ref       // the newest readable one of all; zero if none
	last     string             // the greatest ID, readable or not, which the new ID must exceed; "" if none
}

// findHistory reads the manifests of a generation, newest first, until it finds one of the
// pipeline and site. If there are signers, one of them must have signed it, because the
// new snapshot reuses its content. Of other keys' manifests only the names are used.
func findHistory(ctx context.Context, s stage.Storage, e *keyring.Generation, kids []string, pipeline, site string, now time.Time, signers []manifest.Signer) (h history, err error) {
	refs, _, err := listSnapshots(ctx, s)
	if err != nil {
		return h, err
	}
	for _, ref := range slices.Backward(refs) {
		var snap *manifest.Snapshot
		lost := !slices.Contains(kids, ref.KID)
		if ref.KID == e.KID {
			snap, err = manifest.GetSnapshot(ctx, s, e, ref.ID, signers)
			_, lost = object.AsDamage(err) // Verify reports it
			lost = lost || errors.Is(err, manifest.ErrUnsigned)
			if err != nil && !lost {
				return h, err
			}
		}
		if snap == nil && ref.Early(now) {
			continue
		}
		h.last = cmp.Or(h.last, ref.ID)
		if h.newest.ID == "" && !lost {
			h.newest = ref
		}
		if snap != nil && snap.Pipeline == pipeline && Site(snap).ID == site {
			h.previous = snap
			return h, nil
		}
	}
	return h, nil
}

// Previous returns the contents of the newest snapshot of the pipeline and site that the
// sink can read, or nil if there is none. Documents are not counted.
func (s *Sink) Previous(ctx context.Context, p *stage.Plan) (*stage.Holdings, error) {
	if s.target == nil || s.target.generation == nil {
		return nil, nil
	}
	h, err := findHistory(ctx, s.storage, s.target.generation, s.target.kids, p.Pipeline, p.Facts[moodle.SiteFact], time.Now(), s.signers())
	if err != nil || h.previous == nil {
		return nil, err
	}
	held := &stage.Holdings{Snapshot: h.previous.ID, Parts: map[string]stage.Amount{}}
	for _, u := range h.previous.Units {
		if u.Part == stage.Site { // documents that Vault makes itself: they are no content to lose
			continue
		}
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

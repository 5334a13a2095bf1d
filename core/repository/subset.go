package repository

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/repository/pack"
	"github.com/lmsvault/vault/core/stage"
)

// Subset selects a part of a repository's packs. The zero value selects none.
type Subset struct {
	part, of uint64  // part is counted from 1; of is 0 for a share
	share    float64 // fraction of packs, chosen at random
}

// ParseSubset parses N/M, the Nth of M parts that together contain all packs, or P%, a
// random selection.
func ParseSubset(text string) (*Subset, error) {
	if number, ok := strings.CutSuffix(text, "%"); ok {
		p, err := strconv.ParseFloat(number, 64)
		if err != nil || !(p > 0 && p <= 100) {
			return nil, fmt.Errorf("%q must be a percentage above 0, up to 100%%", text)
		}
		return &Subset{share: p / 100}, nil
	}
	n, m, ok := strings.Cut(text, "/")
	part, err := strconv.ParseUint(n, 10, 16)
	of, bad := strconv.ParseUint(m, 10, 16)
	if !ok || err != nil || bad != nil || part < 1 || part > of {
		return nil, fmt.Errorf("%q must be N/M, such as 1/7 for the first of seven parts, or a percentage, such as 5%%", text)
	}
	return &Subset{part: part, of: of}, nil
}

// holds reports whether a pack is in the subset. Pack names are random, so parts are about
// equally large.
func (s *Subset) holds(pack string) bool {
	if s.of == 0 {
		return rand.Float64() < s.share
	}
	n, err := strconv.ParseUint(pack[:8], 16, 64)
	return err == nil && n%s.of == s.part-1
}

// VerifySubset is like Verify for the whole repository, but reads only the content of packs
// in the subset. It verifies all manifests, entry lists and indexes, and that a pack exists
// for each chunk. It does not recompute proofs of tables and files, which need all content.
func (r *Repository) VerifySubset(ctx context.Context, s *Subset, report VerifyProgress) ([]Finding, error) {
	return r.verify(ctx, Choice{}, s, report)
}

// listed verifies that the entry lists of a unit can be read and that each chunk exists.
func (v *verifier) listed(ctx context.Context, snap *manifest.Snapshot, u *manifest.Unit, chunks *pack.ChunkReader, seen *visited) error {
	if v.sameAsBefore(snap, u) {
		return nil
	}
	p := &unitProof{verifier: v, snap: snap, unit: u, chunks: chunks, seen: seen, whole: true}
	err := readList(ctx, chunks, u, func(it *manifest.Item) error {
		p.entries++
		for _, ref := range it.Refs {
			at, name, ok := chunks.Index.Find(ref.Chunk)
			_, there := chunks.Index.Sizes[name]
			switch {
			case !ok:
				p.lost(&object.Damage{Chunk: ref.Chunk.String(), Err: fmt.Errorf("%w: no index and no pack names it%s", stage.ErrNotExist, chunks.Suspects())}, it.Path)
			case !there:
				p.lost(&object.Damage{Object: object.PackName(chunks.Generation.KID, name), Err: stage.ErrNotExist}, it.Path)
			case uint64(ref.Offset)+uint64(ref.Length) > uint64(at.Plain):
				p.lost(&object.Damage{Object: object.PackName(chunks.Generation.KID, name), Chunk: ref.Chunk.String(), Err: fmt.Errorf("%w: it is shorter than %s needs", stage.ErrCorrupt, it.Path)}, it.Path)
			}
		}
		return nil
	}, func(d *object.Damage) error {
		p.lost(d, "entries of unit "+u.ID+", which can't be named")
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range u.List {
		seen.add(id)
	}
	if p.whole && p.entries != u.Entries {
		p.whole = false
		v.find(&Finding{Object: snap.Name(), Problem: fmt.Sprintf("unit %s has %d entries, and the manifest says %d", u.ID, p.entries, u.Entries)}, snap, u.ID)
	}
	if p.whole {
		v.provedUnit(snap, u)
	}
	return nil
}

// expect adds n bytes to the total that is reported as progress.
func (v *verifier) expect(n int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.total += n
}

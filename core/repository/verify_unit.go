package repository

import (
	"context"
	"fmt"

	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/repository/pack"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
)

// unit reads the entries of a unit and recomputes its proofs. Snapshots with the same list
// share the result.
func (v *verifier) unit(ctx context.Context, snap *manifest.Snapshot, u *manifest.Unit, chunks *pack.ChunkReader, seen *visited) error {
	if v.subset != nil {
		return v.listed(ctx, snap, u, chunks, seen)
	}
	if v.sameAsBefore(snap, u) {
		v.progress(u.Bytes)
		return nil
	}
	p := &unitProof{verifier: v, snap: snap, unit: u, chunks: chunks, seen: seen, whole: true}
	err := readList(ctx, chunks, u, func(it *manifest.Item) error { return p.item(ctx, it) }, func(d *object.Damage) error {
		p.lost(d, "entries of unit "+u.ID+", which can't be named")
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range u.List {
		seen.add(id)
	}
	p.compare()
	if p.whole {
		v.provedUnit(snap, u)
	}
	return nil
}

// unitProof is the state of verifying one unit. It is used by one goroutine.
type unitProof struct {
	*verifier
	snap   *manifest.Snapshot
	unit   *manifest.Unit
	chunks *pack.ChunkReader
	seen   *visited
	buf    []byte

	whole          bool
	entries, bytes int64
	sum            rows.Sum
}

func (p *unitProof) item(ctx context.Context, it *manifest.Item) error {
	check := manifest.NewDigester(it)
	p.entries++
	for _, ref := range it.Refs {
		data, err := p.chunks.Part(ctx, &p.buf, ref)
		p.seen.add(ref.Chunk)
		if d, ok := object.AsDamage(err); ok {
			p.lost(d, it.Path)
			return nil
		}
		if err != nil {
			return err
		}
		check.Write(data)
		p.bytes += int64(len(data))
		p.progress(int64(len(data)))
		if it.Kind == stage.Table {
			if err := p.sum.AddChunk(data); err != nil {
				p.lost(&object.Damage{Object: p.snap.Name(), Chunk: ref.Chunk.String(), Err: err}, it.Path)
			}
		}
	}
	if err := check.Compare(it); err != nil {
		p.lost(&object.Damage{Object: p.snap.Name(), Err: err}, it.Path)
	}
	return nil
}

func (p *unitProof) lost(d *object.Damage, entry string) {
	p.whole = false
	object := d.Object
	if object == "" {
		object = p.snap.Name()
	}
	p.find(&Finding{Object: object, Chunk: d.Chunk, Problem: d.Err.Error()}, p.snap, entry)
}

// compare compares the totals of what was read with the manifest. It does nothing if damage
// was found, which explains any difference.
func (p *unitProof) compare() {
	if !p.whole || p.entries == p.unit.Entries && p.bytes == p.unit.Bytes && p.sum == p.unit.Proof {
		return
	}
	p.whole = false
	p.find(&Finding{Object: p.snap.Name(), Problem: fmt.Sprintf("unit %s has %d entries, %d bytes and rows %s, and the manifest says %d, %d and %s",
		p.unit.ID, p.entries, p.bytes, p.sum, p.unit.Entries, p.unit.Bytes, p.unit.Proof)}, p.snap, p.unit.ID)
}

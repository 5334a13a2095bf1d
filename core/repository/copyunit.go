package repository

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/repository/pack"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
)

// copier copies snapshots one after another. It copies units of a snapshot concurrently.
type copier struct {
	from   *Repository
	to     *copyTarget
	copies map[string]string // IDs of the copies, by those of the originals
	report VerifyProgress

	mu                  sync.Mutex
	chunks              map[chunkKey]object.ID // copied content chunks, and their IDs in the target
	lists               map[chunkKey]copiedList
	done, proved, total int64
}

// chunkKey identifies a chunk in the source repository.
type chunkKey struct {
	kid string
	id  object.ID
}

// copiedList is a chunk of an entry list that was copied together with its content.
type copiedList struct {
	id object.ID // in the target
	listSums
}

// listSums holds the totals of a list of entries.
type listSums struct {
	entries, files, bytes int64
	proof                 rows.Sum
}

func (s *listSums) add(o listSums) {
	s.entries += o.entries
	s.files += o.files
	s.bytes += o.bytes
	s.proof.Merge(o.proof)
}

func newCopier(from *Repository, to *copyTarget, report VerifyProgress) *copier {
	c := &copier{from: from, to: to, report: report, copies: map[string]string{}, chunks: map[chunkKey]object.ID{}, lists: map[chunkKey]copiedList{}}
	if to.proof != nil {
		to.proof.report = func(done, _ int64) { c.progress(0, done) }
	}
	return c
}

// progress adds the bytes copied, sets the total of bytes read back, and calls report.
func (c *copier) progress(copied, proved int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done += copied
	c.proved = max(c.proved, proved)
	if c.report != nil {
		c.report(c.done+c.proved, max(c.total, c.done+c.proved))
	}
}

// snapshot copies one snapshot. It verifies the copied content before it stores the manifest.
func (c *copier) snapshot(ctx context.Context, head *manifest.Snapshot) (Copied, error) {
	snap, err := c.from.load(ctx, manifest.Ref{KID: head.KID, ID: head.ID})
	if err != nil {
		return Copied{}, unreadable(err)
	}
	chunks, err := c.from.chunks(ctx, snap.KID)
	if err != nil {
		return Copied{}, err
	}
	to := c.to
	newBytes, stored := to.chunks.NewBytes.Load(), to.chunks.Packer.Bytes()
	units := make([]manifest.Unit, len(snap.Units))
	// An error must not cancel the other units, which may be storing a chunk.
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	var failed atomic.Bool
	for i := range snap.Units {
		group.Go(func() (err error) {
			if failed.Load() {
				return nil
			}
			units[i], err = c.unit(ctx, &snap.Units[i], chunks)
			if err != nil {
				failed.Store(true)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return Copied{}, err
	}
	if err := to.chunks.Packer.Flush(ctx); err != nil {
		return Copied{}, err
	}
	made := *snap
	made.Units, made.KID, made.SignedBy, made.Skipped = units, to.generation.KID, nil, nil
	if made.ID, err = to.newID(snap.ID); err != nil {
		return Copied{}, err
	}
	original := c.from.originalOf(snap)
	made.Original = &original
	made.Previous, made.After = c.copies[snap.Previous], ""
	if to.newest.ID != "" {
		made.After = to.newest.String()
	}
	made.Totals.New, made.Totals.Stored = to.chunks.NewBytes.Load()-newBytes, to.chunks.Packer.Bytes()-stored
	if err := to.prove(ctx, &made); err != nil {
		return Copied{}, err
	}
	if err := to.lock.Held(ctx); err != nil {
		return Copied{}, err
	}
	if err := to.generation.Holds(ctx); err != nil {
		return Copied{}, err
	}
	if err := manifest.PutSnapshot(ctx, to.storage, to.generation, &made, to.key); err != nil {
		return Copied{}, err
	}
	ref := manifest.Ref{KID: made.KID, ID: made.ID}
	if compareRefs(ref, to.newest) > 0 {
		to.newest = ref
	}
	c.copies[snap.ID] = made.ID
	return Copied{Snapshot: head, ID: made.ID, Totals: made.Totals}, nil
}

// unit copies the entries of a unit, and compares their totals with the manifest.
func (c *copier) unit(ctx context.Context, u *manifest.Unit, chunks *pack.ChunkReader) (manifest.Unit, error) {
	w := &unitCopy{copier: c, chunks: chunks}
	made := *u
	made.List = make([]object.ID, 0, len(u.List))
	var sum listSums
	for _, id := range u.List {
		list, err := w.list(ctx, id)
		if err != nil {
			return made, fmt.Errorf("unit %s: %w", u.ID, unreadable(err))
		}
		made.List = append(made.List, list.id)
		sum.add(list.listSums)
	}
	if want := (listSums{u.Entries, u.Files, u.Bytes, u.Proof}); sum != want {
		return made, &unreadableError{fmt.Errorf("unit %s: %w: it has %d entries, %d bytes and rows %s, and the manifest says %d, %d and %s",
			u.ID, stage.ErrCorrupt, sum.entries, sum.bytes, sum.proof, u.Entries, u.Bytes, u.Proof)}
	}
	return made, nil
}

// unitCopy copies one unit. It is used by one goroutine.
type unitCopy struct {
	*copier
	chunks *pack.ChunkReader
	read   []byte // a chunk of the list
	buf    []byte // a chunk of content
	coded  manifest.ListEncoder
}

// list copies a chunk of the entry list and its content, unless that was done for another
// snapshot.
func (w *unitCopy) list(ctx context.Context, id object.ID) (copiedList, error) {
	key := chunkKey{w.chunks.Generation.KID, id}
	w.mu.Lock()
	made, known := w.lists[key]
	w.mu.Unlock()
	if known {
		w.progress(made.bytes, 0)
		return made, nil
	}
	data, err := w.chunks.Read(ctx, w.read[:0], id)
	if err != nil {
		return made, err
	}
	w.read = data
	w.coded.Reset()
	var it manifest.Item
	err = readListChunk(data, id, &it, func(it *manifest.Item) error { return w.item(ctx, it, &made.listSums) })
	if c, ok := err.(*callerError); ok {
		err = c.err
	}
	if err != nil {
		return made, err
	}
	if made.id, err = w.to.chunks.Store(ctx, pack.ListBlob, w.coded.Buf); err != nil {
		return made, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lists[key] = made
	return made, nil
}

// item copies the content of an entry, verifies it, and adds the entry to the new list.
func (w *unitCopy) item(ctx context.Context, it *manifest.Item, sums *listSums) error {
	check := manifest.NewDigester(it)
	for i := range it.Refs {
		data, to, err := w.content(ctx, it.Refs[i])
		if err != nil {
			return fmt.Errorf("%s: %w", it.Path, err)
		}
		check.Write(data)
		if it.Kind == stage.Table {
			if err := sums.proof.AddChunk(data); err != nil {
				return fmt.Errorf("%s: %w", it.Path, &object.Damage{Chunk: it.Refs[i].Chunk.String(), Err: fmt.Errorf("%w: %w", stage.ErrCorrupt, err)})
			}
		}
		it.Refs[i].Chunk = to
	}
	if err := check.Compare(it); err != nil {
		return &object.Damage{Object: it.Path, Err: err}
	}
	sums.entries++
	sums.bytes += it.Bytes()
	if it.Kind == stage.File {
		sums.files++
	}
	w.progress(it.Bytes(), 0)
	return w.coded.Append(it)
}

// content returns the bytes that ref references, valid until the next call, and the ID of
// their chunk in the target.
func (w *unitCopy) content(ctx context.Context, ref object.Ref) (part []byte, to object.ID, err error) {
	if err := ctx.Err(); err != nil {
		return nil, to, err
	}
	whole, ok := w.chunks.FromCache(ref.Chunk)
	if !ok {
		at, _, found := w.chunks.Index.Find(ref.Chunk)
		alone := found && ref.Offset == 0 && ref.Length == at.Plain
		var dst []byte // not w.buf if other entries share the chunk, which is then cached
		if alone {
			dst = w.buf[:0]
		}
		if whole, err = w.chunks.Read(ctx, dst, ref.Chunk); err != nil {
			return nil, to, err
		}
		if alone {
			w.buf = whole
		} else {
			w.chunks.ToCache(ref.Chunk, whole)
		}
	}
	end := uint64(ref.Offset) + uint64(ref.Length)
	if end > uint64(len(whole)) {
		return nil, to, &object.Damage{Chunk: ref.Chunk.String(), Err: fmt.Errorf("%w: bytes %d to %d of %d are asked for", stage.ErrCorrupt, ref.Offset, end, len(whole))}
	}
	key := chunkKey{w.chunks.Generation.KID, ref.Chunk}
	w.mu.Lock()
	to, known := w.copier.chunks[key]
	w.mu.Unlock()
	if !known {
		if to, err = w.to.chunks.Store(ctx, pack.ContentBlob, whole); err != nil {
			return nil, to, err
		}
		w.mu.Lock()
		w.copier.chunks[key] = to
		w.mu.Unlock()
	}
	return whole[ref.Offset:end], to, nil
}

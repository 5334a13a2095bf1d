package repository

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/repository/pack"
	"github.com/lmsvault/vault/core/stage"
)

// objects verifies every index and pack of a key: it compares the directories of packs with
// the indexes, and verifies the chunks that no snapshot references.
func (v *verifier) objects(ctx context.Context, kid string, seen *visited) error {
	chunks, err := v.repo.chunks(ctx, kid)
	if err != nil {
		return err
	}
	e := chunks.Generation
	for _, d := range chunks.Index.Damaged {
		v.isDamage(d, nil)
	}
	names, err := object.ListNames(ctx, v.repo.storage, object.IndexDir+kid+"/")
	if err != nil {
		return err
	}
	indexed := map[string][]pack.Pack{}
	for _, name := range names {
		packs, err := pack.ReadIndex(ctx, v.repo.storage, e, name)
		if err != nil {
			if !v.isDamage(err, nil) {
				return err
			}
			continue
		}
		for _, p := range packs {
			indexed[p.Name] = append(indexed[p.Name], p)
			if _, ok := chunks.Index.Sizes[p.Name]; !ok {
				v.find(&Finding{Object: object.PackName(kid, p.Name), Problem: "it is gone: " + object.IndexName(kid, name) + " names it"}, nil)
			}
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for name, size := range chunks.Index.Sizes {
		if v.subset != nil {
			if !v.subset.holds(name) {
				continue
			}
			v.expect(size)
		}
		group.Go(func() error { return v.pack(ctx, chunks, name, size, indexed[name], seen) })
	}
	return group.Wait()
}

// pack verifies the directory of a pack, its chunks that are not in seen, and the index
// entries for it.
func (v *verifier) pack(ctx context.Context, chunks *pack.ChunkReader, name string, size int64, indexed []pack.Pack, seen *visited) error {
	object := object.PackName(chunks.Generation.KID, name)
	p, err := pack.ReadTrailer(ctx, v.repo.storage, chunks.Generation, name, size)
	if err != nil {
		if !v.isDamage(err, nil) {
			return err
		}
		return nil
	}
	for _, x := range indexed {
		if x.Size != p.Size || !slices.Equal(x.Blobs, p.Blobs) {
			v.find(&Finding{Object: object, Problem: "its directory is not what the index says"}, nil)
		}
	}
	var sealed, plain []byte
	var offset int64
	for _, b := range p.Blobs {
		at := offset
		offset += int64(b.Length)
		if where, in, ok := chunks.Index.Find(b.ID); ok && in == name && int64(where.Offset) == at && seen.has(b.ID) {
			continue
		}
		sealed, err = v.repo.storage.Get(ctx, sealed[:0], object, at, int64(b.Length))
		if err == nil {
			plain, err = chunks.Generation.OpenChunk(ctx, plain[:0], sealed, b.ID, int(b.Plain))
		}
		if errors.Is(err, stage.ErrCorrupt) || errors.Is(err, stage.ErrNotExist) {
			needed := "no snapshot that was verified needs it"
			if v.subset != nil {
				needed = "verify the whole repository to see what needs it"
			}
			v.find(&Finding{Object: object, Chunk: b.ID.String(), Problem: fmt.Sprintf("%v; %s", err, needed)}, nil)
		} else if err != nil {
			return err
		}
		if v.subset != nil {
			v.progress(int64(b.Length))
		}
	}
	return nil
}

package repository

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/lmsvault/vault/core/stage"
)

// objects checks every index and every pack of a key: their directories, that
// the two agree, and the chunks that no snapshot led to.
func (v *verifier) objects(ctx context.Context, kid string, seen *visited) error {
	chunks, err := v.repo.chunks(ctx, kid)
	if err != nil {
		return err
	}
	e := chunks.epoch
	for _, d := range chunks.index.damaged {
		v.isDamage(d, nil)
	}
	names, err := listNames(ctx, v.repo.storage, indexDir+kid+"/")
	if err != nil {
		return err
	}
	indexed := map[string][]pack{}
	for _, name := range names {
		packs, err := readIndex(ctx, v.repo.storage, e, name)
		if err != nil {
			if !v.isDamage(err, nil) {
				return err
			}
			continue
		}
		for _, p := range packs {
			indexed[p.name] = append(indexed[p.name], p)
			if _, ok := chunks.index.sizes[p.name]; !ok {
				v.find(&Finding{Object: packName(kid, p.name), Problem: "it is gone: " + indexName(kid, name) + " names it"}, nil)
			}
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for name, size := range chunks.index.sizes {
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

// pack checks one pack's directory, its chunks that were not read yet, and what indexes say of it.
func (v *verifier) pack(ctx context.Context, chunks *chunkReader, name string, size int64, indexed []pack, seen *visited) error {
	object := packName(chunks.epoch.kid, name)
	p, err := readTrailer(ctx, v.repo.storage, chunks.epoch, name, size)
	if err != nil {
		if !v.isDamage(err, nil) {
			return err
		}
		return nil
	}
	for _, x := range indexed {
		if x.size != p.size || !slices.Equal(x.blobs, p.blobs) {
			v.find(&Finding{Object: object, Problem: "its directory is not what the index says"}, nil)
		}
	}
	var sealed, plain []byte
	var offset int64
	for _, b := range p.blobs {
		at := offset
		offset += int64(b.length)
		if where, in, ok := chunks.index.find(b.id); ok && in == name && int64(where.offset) == at && seen.has(b.id) {
			continue
		}
		sealed, err = v.repo.storage.Get(ctx, sealed[:0], object, at, int64(b.length))
		if err == nil {
			plain, err = chunks.epoch.openChunk(ctx, plain[:0], sealed, b.id, int(b.plain))
		}
		if errors.Is(err, stage.ErrCorrupt) || errors.Is(err, stage.ErrNotExist) {
			needed := "no snapshot that was verified needs it"
			if v.subset != nil {
				needed = "verify the whole repository to see what needs it"
			}
			v.find(&Finding{Object: object, Chunk: b.id.String(), Problem: fmt.Sprintf("%v; %s", err, needed)}, nil)
		} else if err != nil {
			return err
		}
		if v.subset != nil {
			v.progress(int64(b.length))
		}
	}
	return nil
}

package repository

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/stage"
)

// loaded is the index of an epoch as it was found.
type loaded struct {
	*index
	sizes   map[string]int64 // of the packs that are there, by name
	damaged []*Damage        // what could not be used while looking
}

// loadIndex learns where the chunks of an epoch are: from the index objects, and
// from the trailers of packs that no index names (their run was killed). Chunks
// of packs that are missing or cut count as not there, so that the next backup
// stores them again; for a reader, who wants to name what is lost, keep is true
// and they are entered last.
func loadIndex(ctx context.Context, s stage.Storage, e *epoch, keep bool) (*loaded, error) {
	x := &loaded{index: newIndex(), sizes: map[string]int64{}}
	if err := s.List(ctx, packsDir+e.kid+"/", func(o stage.Object) error {
		name := path.Base(o.Name)
		if !isName(name) || o.Name != packName(e.kid, name) {
			x.damaged = append(x.damaged, &Damage{Object: o.Name, Err: errStray})
			return nil
		}
		x.sizes[name] = o.Size
		return nil
	}); err != nil {
		return nil, fmt.Errorf("listing packs: %w", err)
	}
	names, err := listNames(ctx, s, indexDir+e.kid+"/")
	if err != nil {
		return nil, fmt.Errorf("listing indexes: %w", err)
	}
	known := map[string]bool{}
	var lost []pack
	for _, name := range names {
		packs, err := readIndex(ctx, s, e, name)
		if err != nil {
			d, ok := asDamage(err)
			if !ok {
				return nil, err
			}
			x.damaged = append(x.damaged, d)
			continue
		}
		for _, p := range packs {
			switch size, ok := x.sizes[p.name]; {
			case known[p.name]:
			case ok && size == p.size:
				x.addPack(p)
			default:
				lost = append(lost, p)
			}
			known[p.name] = true
		}
	}
	for name, size := range x.sizes {
		if known[name] {
			continue
		}
		p, err := readTrailer(ctx, s, e, name, size)
		if err != nil {
			d, ok := asDamage(err)
			if !ok {
				return nil, err
			}
			x.damaged = append(x.damaged, d)
			continue
		}
		x.addPack(p)
	}
	if keep {
		for _, p := range lost {
			x.addPack(p)
		}
	}
	return x, nil
}

func listNames(ctx context.Context, s stage.Storage, prefix string) ([]string, error) {
	var names []string
	err := s.List(ctx, prefix, func(o stage.Object) error {
		names = append(names, strings.TrimPrefix(o.Name, prefix))
		return nil
	})
	slices.Sort(names)
	return names, err
}

func readIndex(ctx context.Context, s stage.Storage, e *epoch, name string) ([]pack, error) {
	plain, err := e.getObject(ctx, s, indexName(e.kid, name), e.blobName("index", name))
	if err != nil {
		return nil, err
	}
	packs, err := parseIndex(plain)
	return packs, damaged(indexName(e.kid, name), "", err)
}

// tailSize is read of a pack at once in the hope that it holds the trailer.
const tailSize = 16 << 10

// maxDirectory is the most that a pack's directory has, sealed.
const maxDirectory = 64 << 20

// readTrailer reads a pack's directory from its end.
func readTrailer(ctx context.Context, s stage.Storage, e *epoch, name string, size int64) (pack, error) {
	object := packName(e.kid, name)
	if size < int64(footerSize) {
		return pack{}, &Damage{Object: object, Err: fmt.Errorf("%w: %w", stage.ErrCorrupt, errFooter)}
	}
	tail, err := s.Get(ctx, nil, object, max(0, size-tailSize), min(size, tailSize))
	if err != nil {
		return pack{}, damaged(object, "", err)
	}
	n, err := parseFooter(tail[len(tail)-footerSize:], size)
	if err != nil {
		return pack{}, damaged(object, "", err)
	}
	if n > maxDirectory {
		return pack{}, &Damage{Object: object, Err: fmt.Errorf("%w: its directory exceeds the limit of %d MiB", stage.ErrCorrupt, maxDirectory>>20)}
	}
	if whole := n + int64(footerSize); whole > int64(len(tail)) {
		if tail, err = s.Get(ctx, tail[:0], object, size-whole, whole); err != nil {
			return pack{}, damaged(object, "", err)
		}
	}
	blobs, err := openTrailer(ctx, e, tail[int64(len(tail)-footerSize)-n:len(tail)-footerSize], name, size-n-int64(footerSize))
	if err != nil {
		return pack{}, damaged(object, "", err)
	}
	return pack{name, size, blobs}, nil
}

func openTrailer(ctx context.Context, e *epoch, sealed []byte, name string, body int64) ([]blob, error) {
	plain, err := e.openObject(ctx, sealed, e.blobName("pack", name))
	if err != nil {
		return nil, err
	}
	return parseTrailer(plain, body)
}

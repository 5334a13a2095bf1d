package pack

import (
	"context"
	"fmt"
	"path"

	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

// Loaded is the index of a generation, as LoadIndex found it.
type Loaded struct {
	*Index
	Sizes   map[string]int64 // of the existing packs, by name
	Damaged []*object.Damage // unusable objects
}

// LoadIndex reads the index objects of a generation, and the trailers of packs that no
// index lists (their run was killed). Chunks of missing or truncated packs are omitted,
// so that the next backup stores them again. With keep they are added last, so that a
// reader can report what is lost.
func LoadIndex(ctx context.Context, s stage.Storage, e *keyring.Generation, keep bool) (*Loaded, error) {
	x := &Loaded{Index: NewIndex(), Sizes: map[string]int64{}}
	if err := s.List(ctx, object.PacksDir+e.KID+"/", func(o stage.Object) error {
		name := path.Base(o.Name)
		if !object.IsName(name) || o.Name != object.PackName(e.KID, name) {
			x.Damaged = append(x.Damaged, &object.Damage{Object: o.Name, Err: object.ErrStray})
			return nil
		}
		x.Sizes[name] = o.Size
		return nil
	}); err != nil {
		return nil, fmt.Errorf("listing packs: %w", err)
	}
	names, err := object.ListNames(ctx, s, object.IndexDir+e.KID+"/")
	if err != nil {
		return nil, fmt.Errorf("listing indexes: %w", err)
	}
	known := map[string]bool{}
	var lost []Pack
	for _, name := range names {
		packs, err := ReadIndex(ctx, s, e, name)
		if err != nil {
			d, ok := object.AsDamage(err)
			if !ok {
				return nil, err
			}
			x.Damaged = append(x.Damaged, d)
			continue
		}
		for _, p := range packs {
			switch size, ok := x.Sizes[p.Name]; {
			case known[p.Name]:
			case ok && size == p.Size:
				x.addPack(p)
			default:
				lost = append(lost, p)
			}
			known[p.Name] = true
		}
	}
	for name, size := range x.Sizes {
		if known[name] {
			continue
		}
		p, err := ReadTrailer(ctx, s, e, name, size)
		if err != nil {
			d, ok := object.AsDamage(err)
			if !ok {
				return nil, err
			}
			x.Damaged = append(x.Damaged, d)
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

// ReadIndex reads an index object.
func ReadIndex(ctx context.Context, s stage.Storage, e *keyring.Generation, name string) ([]Pack, error) {
	plain, err := e.GetObject(ctx, s, object.IndexName(e.KID, name), e.BlobName("index", name))
	if err != nil {
		return nil, err
	}
	packs, err := parseIndex(plain)
	return packs, object.Damaged(object.IndexName(e.KID, name), "", err)
}

// tailSize is the number of bytes read first from the end of a pack; usually they
// contain the whole trailer.
const tailSize = 16 << 10

// maxDirectory is the maximum size of a sealed directory.
const maxDirectory = 64 << 20

// ReadTrailer reads a pack's directory from its end.
func ReadTrailer(ctx context.Context, s stage.Storage, e *keyring.Generation, name string, size int64) (Pack, error) {
	objectName := object.PackName(e.KID, name)
	if size < int64(footerSize) {
		return Pack{}, &object.Damage{Object: objectName, Err: fmt.Errorf("%w: %w", stage.ErrCorrupt, errFooter)}
	}
	tail, err := s.Get(ctx, nil, objectName, max(0, size-tailSize), min(size, tailSize))
	if err != nil {
		return Pack{}, object.Damaged(objectName, "", err)
	}
	n, err := parseFooter(tail[len(tail)-footerSize:], size)
	if err != nil {
		return Pack{}, object.Damaged(objectName, "", err)
	}
	if n > maxDirectory {
		return Pack{}, &object.Damage{Object: objectName, Err: fmt.Errorf("%w: the directory exceeds the limit of %d MiB", stage.ErrCorrupt, maxDirectory>>20)}
	}
	if whole := n + int64(footerSize); whole > int64(len(tail)) {
		if tail, err = s.Get(ctx, tail[:0], objectName, size-whole, whole); err != nil {
			return Pack{}, object.Damaged(objectName, "", err)
		}
	}
	blobs, err := openTrailer(ctx, e, tail[int64(len(tail)-footerSize)-n:len(tail)-footerSize], name, size-n-int64(footerSize))
	if err != nil {
		return Pack{}, object.Damaged(objectName, "", err)
	}
	return Pack{name, size, blobs}, nil
}

func openTrailer(ctx context.Context, e *keyring.Generation, sealed []byte, name string, body int64) ([]Blob, error) {
	plain, err := e.OpenObject(ctx, sealed, e.BlobName("pack", name))
	if err != nil {
		return nil, err
	}
	return parseTrailer(plain, body)
}

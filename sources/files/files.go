package files

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
)

// other is the Spec of the unit of all that is in no folder of the pool.
const other = "other"

type source struct {
	root *os.Root
	dir  string
}

func open(cfg *Config) (stage.Source, error) {
	root, err := filetree.OpenSource(cfg.Dir)
	if err != nil {
		return nil, err
	}
	return &source{root, cfg.Dir}, nil
}

func (s *source) Close(context.Context) error { return s.root.Close() }

func (s *source) Plan(ctx context.Context) (*stage.Inventory, error) {
	inv := &stage.Inventory{Notes: []stage.Note{{Path: stage.Filedir,
		Text: "uploads that Moodle has not finished (HASH.tmp) and left-overs of NFS (.nfs…) are left out"}}}
	var size sizes
	hasOther := false
	for name, err := range filetree.Names(s.root) {
		if err != nil {
			return nil, fmt.Errorf("listing the file pool: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		unit := stage.Unit{ID: stage.Filedir + "/" + name, Part: stage.Filedir, Spec: name}
		info, err := s.root.Lstat(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("looking at the file pool: %w", err)
		}
		if err != nil || !info.IsDir() || !moodle.PoolFolder(name) {
			hasOther = true
			continue
		}
		if unit.Rows, err = size.sample(s.root, name); err != nil {
			unit.Rows = 0 // only an estimate; Read says what can't be read
		}
		inv.Units = append(inv.Units, unit)
	}
	for i := range inv.Units {
		inv.Units[i].Bytes = inv.Units[i].Rows * size.mean()
	}
	if hasOther {
		inv.Units = append(inv.Units, stage.Unit{ID: stage.Filedir + "/" + other, Part: stage.Filedir, Spec: other, Rows: 1})
	}
	return inv, nil
}

func (s *source) Read(ctx context.Context, unit stage.Unit, known stage.Known, w stage.Writer) error {
	reader := &filetree.Reader{
		Hash:   sha1.New,
		Digest: func(n int64, sum string) stage.Digest { return stage.Digest{Bytes: n, SHA1: sum} },
		Want: func(path string) string {
			hash, ok := moodle.ContentHash(strings.TrimPrefix(path, stage.Filedir+"/"))
			if !ok {
				return ""
			}
			return hash
		},
		Known: known,
		Out:   w,
	}
	walk := &filetree.Walk{Out: w}
	walk.Visit = func(ctx context.Context, f filetree.Found) error {
		switch {
		case f.Info.IsDir():
			return nil
		case moodle.Unfinished(f.Name):
			return nil
		case f.Info.Mode().IsRegular():
			return reader.File(ctx, f)
		}
		return walk.Special(ctx, f)
	}
	if unit.Spec != other {
		if !moodle.PoolFolder(unit.Spec) {
			return fmt.Errorf("unit %s: %q is no folder of a file pool", unit.ID, unit.Spec)
		}
		return walk.One(ctx, s.root, unit.Spec, stage.Filedir+"/"+unit.Spec)
	}
	inner := walk.Visit
	walk.Visit = func(ctx context.Context, f filetree.Found) error {
		if f.Info.IsDir() && moodle.PoolFolder(f.Name) && f.Path == stage.Filedir+"/"+f.Name {
			return fs.SkipDir // has a unit of its own
		}
		return inner(ctx, f)
	}
	return walk.Children(ctx, s.root, stage.Filedir)
}

package files

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
)

// other is the Spec of the unit with everything outside the directories of the pool.
const other = "other"

type source struct {
	root     *os.Root
	dir      string
	selected selection.Selection

	mu         sync.Mutex
	unfinished map[string]bool // paths of files that were left out: a unit may be read again
}

func open(cfg *Config) (stage.Source, error) {
	root, err := filetree.OpenSource(cfg.Dir)
	if err != nil {
		return nil, err
	}
	return &source{root: root, dir: cfg.Dir, unfinished: map[string]bool{}}, nil
}

func (s *source) Close(context.Context) error { return s.root.Close() }

func (s *source) Plan(ctx context.Context, r stage.PlanRequest) (*stage.Inventory, error) {
	s.selected = r.Selection
	if err := s.recognise(); err != nil {
		return nil, err
	}
	inv := &stage.Inventory{}
	var size sizes
	others := int64(0)
	for name, err := range filetree.Names(s.root) {
		if err != nil {
			return nil, fmt.Errorf("listing the file pool: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if s.leaves(name) {
			continue
		}
		unit := stage.Unit{ID: stage.Filedir + "/" + name, Part: stage.Filedir, Spec: name}
		info, err := s.root.Lstat(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("examining the file pool: %w", err)
		}
		if err != nil || !info.IsDir() || !moodle.PoolFolder(name) {
			others++
			continue
		}
		if unit.Rows, err = size.sample(s.root, name); err != nil {
			unit.Rows = 0 // only an estimate; Read reports what cannot be read
		}
		inv.Units = append(inv.Units, unit)
	}
	for i := range inv.Units {
		inv.Units[i].Bytes = inv.Units[i].Rows * size.mean()
	}
	if _, err := s.root.Lstat(moodle.LostFound); err == nil {
		inv.Notes = append(inv.Notes, stage.Note{Path: stage.Filedir + "/" + moodle.LostFound, Text: "excluded: belongs to the file system"})
	}
	var err error
	if inv.Excluded, err = filetree.Excluded(s.root, stage.Filedir, &s.selected); err != nil {
		return nil, err
	}
	if len(inv.Units) == 0 {
		inv.Losses = append(inv.Losses, stage.Loss{Kind: stage.LossPart, Path: stage.Filedir, Count: 1,
			Reason: fmt.Sprintf("%s contains no file of Moodle; is it mounted?", s.dir)})
	}
	inv.Units = append(inv.Units, stage.Unit{ID: stage.Filedir + "/" + other, Part: stage.Filedir, Spec: other, Rows: others})
	inv.Session, err = filetree.NewSession(s.root, s.selected)
	return inv, err
}

// Join reads units that another process has planned.
func (s *source) Join(_ context.Context, session stage.Session) (err error) {
	s.selected, err = filetree.JoinSession(s.root, session)
	return err
}

func (s *source) leaveOut(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unfinished[path] = true
}

// Notes counts the unfinished files that were skipped.
func (s *source) Notes(context.Context) ([]stage.Note, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.unfinished) == 0 {
		return nil, nil
	}
	return []stage.Note{{Path: stage.Filedir,
		Text: fmt.Sprintf("skipped %d files: unfinished uploads (HASH.tmp), or deleted files that are still open on NFS (.nfs…)", len(s.unfinished))}}, nil
}

// leaves reports whether a path below the pool is skipped: Vault's own marker of an
// earlier restore does not belong to a site.
func (s *source) leaves(path string) bool {
	_, out := s.selected.ExcludesPath(stage.Filedir + "/" + path)
	return out || path == moodle.LostFound || path == filetree.RestoredName || path == filetree.SwapName
}

// recognise refuses a directory that is not a file pool.
func (s *source) recognise() error {
	folder, err := filetree.Recognise(s.root)
	switch {
	case err != nil:
		return fmt.Errorf("listing the file pool: %w", err)
	case folder == moodle.DataRoot:
		return failure.New(failure.Refused, "%s is %s, not a file pool; set dir to %s", s.dir, folder, filepath.Join(s.dir, moodle.FiledirName))
	case folder == moodle.Code:
		return failure.New(failure.Refused, "%s is %s, not a file pool; set dir to the directory %s in the site's data root", s.dir, folder, moodle.FiledirName)
	}
	return nil
}

func (s *source) ReadFiles(ctx context.Context, r stage.ReadRequest, w stage.FileWriter) error {
	unit := r.Unit
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
		Known: r.Baseline,
		Out:   w,
	}
	walk := &filetree.Walk{Out: w}
	walk.Visit = func(ctx context.Context, f filetree.Found) error {
		path := strings.TrimPrefix(f.Path, stage.Filedir+"/")
		switch {
		case s.leaves(path):
			return fs.SkipDir
		case f.Info.IsDir():
			return nil
		case moodle.Unfinished(f.Name):
			s.leaveOut(f.Path)
			return nil
		case f.Info.Mode().IsRegular():
			return reader.File(ctx, f)
		}
		return walk.Special(ctx, f)
	}
	if unit.Spec != other {
		if !moodle.PoolFolder(unit.Spec) {
			return fmt.Errorf("unit %s: %q is not a directory of a file pool", unit.ID, unit.Spec)
		}
		return walk.One(ctx, s.root, unit.Spec, stage.Filedir+"/"+unit.Spec)
	}
	inner := walk.Visit
	walk.Visit = func(ctx context.Context, f filetree.Found) error {
		if f.Info.IsDir() && moodle.PoolFolder(f.Name) && f.Path == stage.Filedir+"/"+f.Name {
			return fs.SkipDir // has its own unit
		}
		return inner(ctx, f)
	}
	return walk.Children(ctx, s.root, stage.Filedir)
}

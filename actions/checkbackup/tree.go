package checkbackup

import (
	"context"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/moodle/check"
	"github.com/lmsvault/vault/core/stage"
)

// tree is what a directory holds.
type tree struct {
	check.Unreadable
	Size check.FileSize
}

// mostPaths is the maximum number of paths of one kind that are listed.
const mostPaths = 100

// tree walks a directory once.
func (s *site) tree(ctx context.Context, part, dir string) *tree {
	if t := s.trees[part]; t != nil {
		return t
	}
	t := &tree{Unreadable: check.Unreadable{Part: part, Dir: dir}}
	if _, t.Err = os.ReadDir(dir); t.Err == nil {
		s.walk(ctx, t, "")
	}
	s.trees[part] = t
	return t
}

// walk examines the directory at a path below that of t. It does not follow links.
func (s *site) walk(ctx context.Context, t *tree, below string) {
	full := filepath.Join(t.Dir, below)
	entries, err := os.ReadDir(full)
	if err != nil || unix.Faccessat(unix.AT_FDCWD, full, unix.X_OK, unix.AT_EACCESS) != nil {
		t.unreadable(below)
		return
	}
	for _, e := range entries {
		path := filepath.Join(below, e.Name())
		if ctx.Err() != nil || s.leaves(t.Part, path) {
			continue
		}
		switch {
		case e.IsDir():
			s.walk(ctx, t, path)
		case e.Type().IsRegular():
			info, err := e.Info()
			if err != nil {
				continue // it has been removed
			}
			t.Size.Count++
			t.Size.Bytes += info.Size()
			t.Size.Largest = max(t.Size.Largest, info.Size())
			if unix.Faccessat(unix.AT_FDCWD, filepath.Join(full, e.Name()), unix.R_OK, unix.AT_EACCESS) != nil {
				t.unreadable(path)
			}
		}
	}
}

func (t *tree) unreadable(path string) {
	if t.Count++; len(t.Paths) < mostPaths {
		t.Paths = append(t.Paths, path)
	}
}

// leaves reports whether backups leave a path out.
func (s *site) leaves(part, path string) bool {
	name := filepath.Base(path)
	if part == stage.Dataroot && name == path {
		if _, out := moodle.Excluded(name, nil); out {
			return true
		}
	}
	return part == stage.Filedir && (moodle.Unfinished(name) || path == moodle.LostFound) || s.excludesPath(part+"/"+path)
}

// unreadable looks for files that can't be read.
func unreadable(ctx context.Context, s *site) ([]stage.ActionFinding, error) {
	var found []stage.ActionFinding
	accepted := s.accepted(stage.LossUnreadable)
	for _, of := range []struct{ part, dir string }{{stage.Filedir, s.pool()}, {stage.Dataroot, s.DataRoot}} {
		if of.dir == "" || s.without(of.part) {
			continue
		}
		t := s.tree(ctx, of.part, of.dir)
		found = append(found, t.Findings(accepted)...)
		accepted = max(0, accepted-t.Count)
	}
	return found, ctx.Err()
}

// Package caches empties the caches of a Moodle site that are files, and lists those that
// are elsewhere. Empty and Stores do not depend on each other.
package caches

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Emptied counts what Empty removed, or would remove.
type Emptied struct {
	Files int64 // and symlinks
	Bytes int64
}

// Empty removes everything in a directory, but not the directory itself. A symlink is
// removed, never followed; dir must not be one. It is no error if dir is missing, or if
// somebody else removes a file at the same time. With dry it only counts.
func Empty(ctx context.Context, dir string, dry bool) (Emptied, error) {
	info, err := os.Lstat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Emptied{}, nil
	case err != nil:
		return Emptied{}, err
	case !info.IsDir():
		return Emptied{}, fmt.Errorf("%s is not a directory", dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Emptied{}, err
	}
	if there, err := root.Stat("."); err != nil || !os.SameFile(info, there) {
		return Emptied{}, errors.Join(fmt.Errorf("%s was replaced by another directory", dir), err, root.Close())
	}
	e := emptier{ctx: ctx, dry: dry}
	for range attempts { // the site may create files at the same time
		err = e.empty(root)
		if dry || !errors.Is(err, syscall.ENOTEMPTY) {
			break
		}
	}
	return e.count, errors.Join(err, root.Close())
}

// attempts is how often a directory is emptied in which new files appear.
const attempts = 5

type emptier struct {
	ctx   context.Context
	dry   bool
	count Emptied
}

// batch is the number of entries of a directory that are read at once.
const batch = 1000

// empty removes the entries of a directory.
func (e *emptier) empty(dir *os.Root) error {
	list, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer list.Close()
	var errs []error
	for {
		entries, err := list.ReadDir(batch)
		for _, entry := range entries {
			if e.ctx.Err() != nil {
				return e.ctx.Err()
			}
			if bad := e.remove(dir, entry); bad != nil && !errors.Is(bad, fs.ErrNotExist) && len(errs) < 10 {
				errs = append(errs, bad)
			}
		}
		if errors.Is(err, io.EOF) {
			return errors.Join(errs...)
		}
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
	}
}

// remove removes an entry, a directory with all it holds.
func (e *emptier) remove(dir *os.Root, entry fs.DirEntry) error {
	if entry.IsDir() {
		below, err := dir.OpenRoot(entry.Name())
		if err != nil {
			return err
		}
		err = e.empty(below)
		if err := errors.Join(err, below.Close()); err != nil || e.dry {
			return err
		}
		return dir.Remove(entry.Name())
	}
	if info, err := entry.Info(); err == nil {
		e.count.Bytes += info.Size()
	}
	if !e.dry {
		if err := dir.Remove(entry.Name()); err != nil {
			return err
		}
	}
	e.count.Files++
	return nil
}

package dataroot

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/lmsvault/vault/filetree"
)

// censusLimit is how many entries of a directory directly below the data root a plan
// examines; a larger directory is divided into several units.
const censusLimit = 2000

// census counts the first entries found below a directory.
type census struct {
	things, bytes int64
	dirs, pending int64 // directories that were listed, and that were not
	left          int   // how many more to examine
}

// large reports whether there were more entries than the limit.
func (c *census) large() bool { return c.pending > 0 }

// estimate extrapolates to the directories that were not listed.
func (c *census) estimate() (things, bytes int64) {
	dirs := max(c.dirs, 1)
	return c.things * (dirs + c.pending) / dirs, c.bytes * (dirs + c.pending) / dirs
}

// see counts an entry; info is nil if it cannot be examined.
func (c *census) see(info fs.FileInfo) {
	c.things++
	if info != nil && info.Mode().IsRegular() {
		c.bytes += info.Size()
	}
}

// count examines dir. It ignores what cannot be read; Read reports it.
func (c *census) count(dir *os.Root) (err error) {
	f, err := dir.Open(".")
	if err != nil {
		return quiet(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	c.dirs++
	var below []string
	for {
		names, err := f.Readdirnames(256)
		for _, name := range names {
			if c.left == 0 {
				c.pending += 1 + int64(len(below)) // including dir itself, for its other entries
				return nil
			}
			c.left--
			info, err := dir.Lstat(name)
			if err != nil {
				if err := quiet(err); err != nil {
					return err
				}
				continue
			}
			c.see(info)
			if info.IsDir() {
				below = append(below, name)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return quiet(err)
		}
	}
	for _, name := range below {
		if c.left == 0 {
			c.pending++
			continue
		}
		if err := c.child(dir, name); err != nil {
			return err
		}
	}
	return nil
}

func (c *census) child(parent *os.Root, name string) (err error) {
	dir, err := filetree.OpenDir(parent, name)
	if err != nil {
		return quiet(err)
	}
	return errors.Join(c.count(dir), dir.Close())
}

// quiet drops an error that concerns a single file or directory.
func quiet(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return nil
	}
	return err
}

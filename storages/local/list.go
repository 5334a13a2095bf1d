package local

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/lmsvault/vault/core/stage"
)

// lostFound is a directory that file systems create in the root of a disk.
const lostFound = "lost+found"

// List walks the directory of the prefix.
func (s *storage) List(ctx context.Context, prefix string, fn func(stage.Object) error) error {
	dir, _ := path.Split(prefix)
	if dir = strings.TrimSuffix(dir, "/"); dir != "" {
		if err := check(dir); err != nil {
			return err
		}
	}
	root, err := s.in()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing stored yet
	}
	if err != nil {
		return s.explain(err)
	}
	l := &lister{storage: s, root: root, prefix: prefix, fn: fn}
	if dir == "" {
		dir = "."
	}
	return l.list(ctx, dir)
}

type lister struct {
	*storage
	root   *os.Root
	prefix string
	fn     func(stage.Object) error
}

func (l *lister) list(ctx context.Context, dir string) error {
	found, err := readDir(l.root, dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil // deleted while we list, or a file of this name
	}
	if err != nil {
		return l.explain(err)
	}
	for _, d := range found {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := l.entry(ctx, path.Join(dir, d.Name()), d); err != nil {
			return err
		}
	}
	return nil
}

func (l *lister) entry(ctx context.Context, name string, d fs.DirEntry) error {
	switch {
	case d.IsDir() && (name == tempDir || name == lostFound):
		return nil
	case check(name) != nil:
		if l.prefix == "" { // not created by Put, but the directory is not empty
			return l.fn(stage.Object{Name: strings.ToValidUTF8(name, "\uFFFD")})
		}
		return nil
	case d.IsDir():
		if !strings.HasPrefix(name, l.prefix) && !strings.HasPrefix(l.prefix, name+"/") {
			return nil
		}
		return l.list(ctx, name)
	case !strings.HasPrefix(name, l.prefix):
		return nil
	}
	info, err := d.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return l.explain(err)
	}
	return l.fn(stage.Object{Name: name, Size: info.Size()})
}

func readDir(root *os.Root, dir string) (_ []fs.DirEntry, err error) {
	d, err := root.OpenFile(dir, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return d.ReadDir(-1)
}

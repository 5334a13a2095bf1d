package filetree

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/lmsvault/vault/core/stage"
)

// Found is an entry found by a walk.
type Found struct {
	Dir  *os.Root // the directory it is in, open while Visit runs
	Name string   // in Dir
	Path string   // of the entry: part and path below the root
	Info fs.FileInfo
}

// Walk visits a tree in byte order of names, a directory before its contents. It
// reports what cannot be listed to Out as a loss; what vanished meanwhile is no
// longer part of the tree. It is used by one goroutine.
type Walk struct {
	Out stage.FileWriter
	// Visit handles an entry; fs.SkipDir skips the contents of a directory.
	Visit func(ctx context.Context, f Found) error
	// Follow returns the target of a link to visit as a directory, nil for any other
	// entry; OpenDir opens such a directory and any other. nil: no link is followed.
	Follow  func(path string, info fs.FileInfo) fs.FileInfo
	OpenDir func(parent *os.Root, name, path string) (*os.Root, error)
}

// Children visits the contents of dir, whose entry path is path.
func (w *Walk) Children(ctx context.Context, dir *os.Root, path string) error {
	for name, err := range Names(dir) {
		if err != nil {
			return w.Lost(ctx, path, err)
		}
		if err := w.One(ctx, dir, name, join(path, name)); err != nil {
			return err
		}
	}
	return nil
}

// One visits the entry name in dir and everything below it.
func (w *Walk) One(ctx context.Context, dir *os.Root, name, path string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	info, err := dir.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return w.Lost(ctx, path, err)
	}
	if w.Follow != nil {
		if to := w.Follow(path, info); to != nil {
			info = to
		}
	}
	err = w.Visit(ctx, Found{Dir: dir, Name: name, Path: path, Info: info})
	if err == fs.SkipDir {
		return nil
	}
	if err != nil || !info.IsDir() {
		return err
	}
	open := w.OpenDir
	if open == nil {
		open = func(parent *os.Root, name, _ string) (*os.Root, error) { return OpenDir(parent, name) }
	}
	child, err := open(dir, name, path)
	if err != nil {
		return w.Lost(ctx, path, err)
	}
	return only(w.Children(ctx, child, path), child.Close())
}

// Lost reports to Out that an entry cannot be examined or a directory cannot be
// listed. One that vanished is no longer part of the tree. It returns errors that do
// not concern the entry.
func (w *Walk) Lost(ctx context.Context, path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case fatal(err):
		return err
	case errors.Is(err, ErrNotDir):
		return w.Out.Loss(ctx, stage.Loss{Kind: stage.LossChanged, Path: path, Reason: "a directory was replaced by something else while it was read", Count: 1})
	}
	return w.Out.Loss(ctx, stage.Loss{Kind: stage.LossUnreadable, Path: path, Reason: reason(err) + "; nothing in it is backed up", Count: 1})
}

// Special reports to Out that an entry cannot be backed up.
func (w *Walk) Special(ctx context.Context, f Found) error {
	return w.Out.Loss(ctx, stage.Loss{Kind: stage.LossSpecial, Path: f.Path, Reason: "it is " + kindOf(f.Info.Mode()), Count: 1})
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link, which is not allowed here; replace it with what it points to"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "neither a file nor a directory nor a link"
}

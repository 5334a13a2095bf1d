package filetree

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/lmsvault/vault/core/stage"
)

// Found is one thing that a walk meets.
type Found struct {
	Dir  *os.Root // the directory it is in, open while Visit runs
	Name string   // in Dir
	Path string   // of the entry: part and path below the root
	Info fs.FileInfo
}

// Walk goes through a tree in the order of names' bytes, a directory before
// what is in it. What can't be listed is told to Out as a loss; what vanished
// meanwhile is not part of the tree any more. One goroutine.
type Walk struct {
	Out stage.FileWriter
	// Visit handles a thing; fs.SkipDir leaves out what is in a directory.
	Visit func(ctx context.Context, f Found) error
	// Follow returns what a link leads to that is visited as a directory, nil for
	// another thing; OpenDir opens such a directory and any other. nil: no link
	// is followed.
	Follow  func(path string, info fs.FileInfo) fs.FileInfo
	OpenDir func(parent *os.Root, name, path string) (*os.Root, error)
}

// Children visits what is in dir, whose entry path is path.
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

// One visits the thing of a name in dir and all below it.
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

// Lost tells Out that a thing can't be looked at or a directory not be listed.
// One that vanished is not part of the tree; an error that is not the thing's is returned.
func (w *Walk) Lost(ctx context.Context, path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case fatal(err):
		return err
	case errors.Is(err, ErrNotDir):
		return w.Out.Loss(ctx, stage.Loss{Kind: stage.LossChanged, Path: path, Reason: "a directory became something else while it was read", Count: 1})
	}
	return w.Out.Loss(ctx, stage.Loss{Kind: stage.LossUnreadable, Path: path, Reason: reason(err) + "; nothing in it is carried", Count: 1})
}

// Special tells Out that a thing is none that can be carried.
func (w *Walk) Special(ctx context.Context, f Found) error {
	return w.Out.Loss(ctx, stage.Loss{Kind: stage.LossSpecial, Path: f.Path, Reason: "it is " + kindOf(f.Info.Mode()), Count: 1})
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link, which has no place here: put what it points to in its place"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "neither file nor directory nor link"
}

package filetree

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"syscall"
)

// ErrNotDir is returned for a name that is not a directory (or a link to one).
var ErrNotDir = errors.New("not a directory")

// OpenDir opens the directory name in parent without following links. The caller
// closes it.
func OpenDir(parent *os.Root, name string) (*os.Root, error) {
	before, err := parent.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !before.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: ErrNotDir}
	}
	dir, err := parent.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	// OpenRoot would follow a link that replaced the directory in between.
	after, err := dir.Stat(".")
	if err == nil && !os.SameFile(before, after) {
		err = &fs.PathError{Op: "open", Path: name, Err: ErrNotDir}
	}
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return dir, nil
}

// OpenPath opens the directory at a path below root without following links; "" is
// root itself. The caller closes it.
func OpenPath(root *os.Root, path string) (*os.Root, error) {
	if path == "" {
		return root.OpenRoot(".")
	}
	parent, name := split(path)
	if parent == "" {
		return OpenDir(root, name)
	}
	dir, err := OpenPath(root, parent)
	if err != nil {
		return nil, err
	}
	child, err := OpenDir(dir, name)
	return child, errors.Join(err, dir.Close())
}

// namesAtOnce limits the names held in memory while reading a directory.
const namesAtOnce = 1 << 15

// Names yields the names in a directory in byte order. It reads a directory with more
// names than fit in memory several times.
func Names(dir *os.Root) iter.Seq2[string, error] { return NamesAfter(dir, "") }

// NamesAfter yields the Names after a given one.
func NamesAfter(dir *os.Root, after string) iter.Seq2[string, error] {
	return sortedNames(dir, after, namesAtOnce)
}

func sortedNames(dir *os.Root, after string, atOnce int) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		after := after
		for more := true; more; {
			var names []string
			var err error
			names, more, err = smallest(dir, after, atOnce)
			if err != nil {
				yield("", err)
				return
			}
			for _, name := range names {
				if !yield(name, nil) {
					return
				}
				after = name
			}
		}
	}
}

// smallest returns the n smallest names above after, and whether there are more.
func smallest(dir *os.Root, after string, n int) (names []string, more bool, err error) {
	f, err := dir.Open(".")
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	keep := func() {
		slices.SortFunc(names, cmp.Compare[string])
		if len(names) > n {
			clear(names[n:])
			names, more = names[:n], true
		}
	}
	for {
		batch, err := f.Readdirnames(1024)
		for _, name := range batch {
			if name > after && !(more && name > names[n-1]) {
				names = append(names, name)
			}
		}
		if len(names) >= 2*n {
			keep()
		}
		if errors.Is(err, io.EOF) {
			keep()
			return names, more, nil
		}
		if err != nil {
			return nil, false, fmt.Errorf("listing a directory: %w", err)
		}
	}
}

// fatal reports whether an error concerns this process and not a single file.
func fatal(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}

// reason returns the cause of an error without the file's path.
func reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

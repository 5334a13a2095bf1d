package lockfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/lmsvault/vault/core/failure"
)

const maxFile = 1 << 20

// Load reads the lock file of a directory. If there is none, the File is empty. If it is
// damaged or not a regular file, the error is of class failure.Refused and none of its
// plugins may be used. Plugin.Program checks whether a plugin may be used.
func Load(dir string) (_ *File, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, failure.New(failure.Usage, "reading the pipeline directory: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	return load(root, dir)
}

func load(root *os.Root, dir string) (*File, error) {
	f := &File{Dir: dir}
	text, info, err := read(root)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, failure.New(failure.Refused, "%s can't be used: %w", f.path(Name), err)
	}
	f.info = info
	err = f.parse(text)
	if newer := new(newerForm); errors.As(err, &newer) {
		return nil, failure.New(failure.Refused, "%s can't be used: %w", f.path(Name), err)
	}
	if err != nil {
		return nil, failure.New(failure.Refused, "%s is damaged, so none of its plugins can be used; restore it from version control, or remove it and install the plugins again\n%w", f.path(Name), err)
	}
	return f, nil
}

// read reads the lock file; it does not follow symbolic links.
func read(root *os.Root) (text []byte, info fs.FileInfo, err error) {
	there, err := root.Lstat(Name)
	if err != nil {
		return nil, nil, err
	}
	if err := regular(there); err != nil {
		return nil, nil, err
	}
	f, err := root.OpenFile(Name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if info, err = f.Stat(); err != nil {
		return nil, nil, err
	}
	if !os.SameFile(there, info) {
		return nil, nil, errors.New("it was replaced while it was read; try again")
	}
	if text, err = io.ReadAll(io.LimitReader(f, maxFile+1)); err == nil && len(text) > maxFile {
		err = fmt.Errorf("it is larger than %d bytes", maxFile)
	}
	return text, info, err
}

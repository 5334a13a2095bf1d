// Package local is the storage that keeps a repository's objects as files in a
// directory: a disk, or a mounted share.
//
// An object is a file with its name below the directory; files have mode 0600,
// directories 0700. While being written, it is a file in tmp/, which no object name
// can refer to. Nothing outside of the directory is read or written, whatever
// symbolic links it contains, and only regular files are read.
package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/lmsvault/vault/core/stage"
)

const (
	dirMode  = 0o700
	fileMode = 0o600
	tempDir  = "tmp"
)

// storage implements stage.Storage. Nothing is created on disk before the first Put.
type storage struct {
	dir  string
	sync func(*os.File) error // makes a file or a directory durable: (*os.File).Sync, replaced by tests

	mu   sync.Mutex
	root *os.Root        // of dir, once it exists
	dirs map[string]bool // directories known to exist durably
	temp *os.File        // held open: its lock tells others that tmp is in use
}

// in returns the directory's root, or an error that is fs.ErrNotExist if it does not
// exist.
func (s *storage) in() (*os.Root, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inLocked()
}

func (s *storage) inLocked() (*os.Root, error) {
	if s.root == nil {
		root, err := os.OpenRoot(s.dir)
		if err != nil {
			return nil, err
		}
		s.root = root
	}
	return s.root, nil
}

// Put writes a temporary file, syncs it, renames it and syncs the directory. In this
// order a crash leaves either the old object or the new one.
func (s *storage) Put(ctx context.Context, name string, data []byte) error {
	return s.put(ctx, name, data, func(root *os.Root, temp string) error {
		err := root.Rename(temp, name)
		if err != nil {
			err = errors.Join(err, root.Remove(temp))
		}
		return err
	})
}

// Create is like Put with a hard link instead of a rename: the system creates it only
// if the name does not exist.
func (s *storage) Create(ctx context.Context, name string, data []byte) error {
	return s.put(ctx, name, data, func(root *os.Root, temp string) error {
		err := root.Link(temp, name)
		switch {
		case errors.Is(err, fs.ErrExist):
			err = fmt.Errorf("%s %w", name, stage.ErrExist)
		case errors.Is(err, syscall.EPERM), errors.Is(err, errors.ErrUnsupported):
			err = fmt.Errorf("%s: %w: this file system does not support hard links, which Create needs: %w", name, errors.ErrUnsupported, err)
		}
		return errors.Join(err, root.Remove(temp))
	})
}

// put writes a temporary file and calls publish to give it its name; put removes the
// file if that fails.
func (s *storage) put(ctx context.Context, name string, data []byte, publish func(root *os.Root, temp string) error) error {
	if err := check(name); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.claimTemp(); err != nil {
		return s.explain(err)
	}
	parent := path.Dir(name)
	if err := s.makeDirs(parent); err != nil {
		return s.explain(err)
	}
	root, err := s.in()
	if err != nil {
		return s.explain(err)
	}
	temp, err := s.writeTemp(root, data)
	if err != nil {
		return s.explain(err)
	}
	if err := publish(root, temp); err != nil {
		return s.explain(err)
	}
	return s.explain(s.syncDir(root, parent))
}

// writeTemp returns the name of a new file that durably contains data.
func (s *storage) writeTemp(root *os.Root, data []byte) (name string, err error) {
	name = path.Join(tempDir, tempPrefix+rand.Text())
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err == nil {
		err = s.sync(f)
	}
	// A full share may report it only here.
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, root.Remove(name))
	}
	return name, nil
}

// Get reads a part of an object.
func (s *storage) Get(ctx context.Context, dst []byte, name string, offset, length int64) (_ []byte, err error) {
	if err := check(name); err != nil {
		return dst, err
	}
	if err := ctx.Err(); err != nil {
		return dst, err
	}
	root, err := s.in()
	if err != nil {
		return dst, s.explain(err)
	}
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // opening a pipe would wait for its writer
	if err != nil {
		return dst, s.explain(special(root, name, err))
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err == nil {
		err = regular(name, info)
	}
	if err != nil {
		return dst, s.explain(err)
	}
	if length < 0 {
		length = max(0, info.Size()-offset)
	}
	if offset < 0 || length > info.Size() || offset > info.Size()-length {
		return dst, fmt.Errorf("%s: %w: it has %d bytes, but %d from offset %d were requested", s.file(name), stage.ErrCorrupt, info.Size(), length, offset)
	}
	start := len(dst)
	dst = slices.Grow(dst, int(length))[:start+int(length)]
	if _, err := io.ReadFull(io.NewSectionReader(f, offset, length), dst[start:]); err != nil {
		return dst[:start], s.explain(fmt.Errorf("reading %d bytes from %d of %s: %w", length, offset, name, err))
	}
	return dst, nil
}

// regular returns an error for anything but a regular file.
func regular(name string, info fs.FileInfo) error {
	switch {
	case info.Mode().IsRegular():
		return nil
	case info.IsDir():
		return fmt.Errorf("%s %w as an object: it is a directory", name, stage.ErrNotExist)
	}
	return fmt.Errorf("%s: %w: it is not a regular file (%s)", name, stage.ErrCorrupt, info.Mode().Type())
}

// special explains why name could not be opened, if its type is the reason.
func special(root *os.Root, name string, err error) error {
	if info, lerr := root.Lstat(name); lerr == nil && info.Mode()&(fs.ModeSocket|fs.ModeDevice|fs.ModeNamedPipe) != 0 {
		return regular(name, info)
	}
	return err
}

// Delete removes the file, durably.
func (s *storage) Delete(ctx context.Context, name string) error {
	if err := check(name); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	root, err := s.in()
	if err == nil {
		var info fs.FileInfo
		if info, err = root.Lstat(name); err == nil && info.Mode().Type() != fs.ModeSymlink {
			err = regular(name, info)
		}
	}
	if err == nil {
		err = root.Remove(name)
	}
	if err = s.explain(err); errors.Is(err, stage.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.explain(s.syncDir(root, path.Dir(name)))
}

// Stat returns an object's size.
func (s *storage) Stat(ctx context.Context, name string) (stage.Object, error) {
	if err := check(name); err != nil {
		return stage.Object{}, err
	}
	if err := ctx.Err(); err != nil {
		return stage.Object{}, err
	}
	root, err := s.in()
	if err != nil {
		return stage.Object{}, s.explain(err)
	}
	info, err := root.Stat(name)
	if err == nil {
		err = regular(name, info)
	}
	if err != nil {
		return stage.Object{}, s.explain(err)
	}
	return stage.Object{Name: name, Size: info.Size()}, nil
}

// Close releases tmp.
func (s *storage) Close(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	if s.temp != nil {
		errs = append(errs, s.temp.Close())
		s.temp = nil
	}
	if s.root != nil {
		errs = append(errs, s.root.Close())
		s.root = nil
	}
	return errors.Join(errs...)
}

func (s *storage) file(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

// check rejects names that stage.Storage does not allow.
func check(name string) error {
	if len(name) == 0 || len(name) > 200 {
		return fmt.Errorf("object name %q: it must have 1 to 200 characters", name)
	}
	for element := range strings.SplitSeq(name, "/") {
		if element == "" || element == "." || element == ".." {
			return fmt.Errorf("object name %q is not a clean relative path", name)
		}
	}
	if strings.ContainsFunc(name, outside) {
		return fmt.Errorf("object name %q has characters other than a-z 0-9 . - _ /", name)
	}
	if name == tempDir || strings.HasPrefix(name, tempDir+"/") {
		return fmt.Errorf("object name %q: %s/ is reserved for files being written", name, tempDir)
	}
	return nil
}

func outside(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune(".-_/", r))
}

// passing reports whether an error means that a share's server is unreachable or
// busy.
func passing(err error) bool {
	e := syscall.Errno(0)
	if !errors.As(err, &e) {
		return false
	}
	switch e {
	case syscall.EAGAIN, syscall.ETIMEDOUT, syscall.ESTALE, syscall.EHOSTDOWN, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ECONNRESET:
		return true
	}
	return false
}

// explain adds location and remedy to an error of the file system.
func (s *storage) explain(err error) error {
	switch {
	case err == nil, errors.Is(err, stage.ErrNotExist), errors.Is(err, stage.ErrExist):
		return err
	case passing(err):
		return stage.Temporary(fmt.Errorf("%s does not answer (is a network share away?): %w", s.dir, err), 0)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR): // a file exists in place of a directory of the name
		err = fmt.Errorf("%w: %w", stage.ErrNotExist, err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("no space left in %s; free some, or use another directory; stored data is intact, and the next run continues from it: %w", s.dir, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("no permission to use %s; run as its owner, or grant this user access: %w", s.dir, err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%s is on a read-only file system; mount it writable, or use another directory: %w", s.dir, err)
	case strings.Contains(err.Error(), "path escapes from parent"): // package os has no error value for it
		err = fmt.Errorf("a symbolic link leads out of the repository's directory; replace it with its target, or mount the target there: %w", err)
	}
	if strings.Contains(err.Error(), s.dir) {
		return err
	}
	return fmt.Errorf("%s: %w", s.dir, err)
}

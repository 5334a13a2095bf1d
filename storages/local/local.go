// Package local is the storage that keeps a repository's objects as files in a
// directory: a disk, or a share that is mounted there.
//
// An object is a file of its name below the directory, mode 0600 in directories
// of mode 0700. While it is written it is a file in tmp/, which no name reaches.
package local

import (
	"context"
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

// storage is the stage.Storage. Nothing is made on disk before the first Put.
type storage struct {
	dir string

	mu   sync.Mutex
	dirs map[string]bool // that are known to be there, durably
	temp *os.File        // held open: its lock tells others that tmp is in use
}

// Put writes a temporary file, syncs it, renames it and syncs the directory: in
// this order a crash leaves the old object or the new one.
func (s *storage) Put(ctx context.Context, name string, data []byte) error {
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
	temp, err := s.writeTemp(data)
	if err != nil {
		return s.explain(err)
	}
	if err := os.Rename(temp, s.file(name)); err != nil {
		return s.explain(errors.Join(err, os.Remove(temp)))
	}
	return s.explain(syncDir(s.file(parent)))
}

// writeTemp returns the name of a file that holds data durably.
func (s *storage) writeTemp(data []byte) (name string, err error) {
	f, err := os.CreateTemp(s.file(tempDir), "put-") // mode 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	// A share without room may say so only here.
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// Get reads a part of an object.
func (s *storage) Get(ctx context.Context, dst []byte, name string, offset, length int64) (_ []byte, err error) {
	if err := check(name); err != nil {
		return dst, err
	}
	if err := ctx.Err(); err != nil {
		return dst, err
	}
	f, err := os.Open(s.file(name))
	if err != nil {
		return dst, s.explain(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return dst, s.explain(err)
	}
	if !info.Mode().IsRegular() {
		return dst, fmt.Errorf("%s %w as an object: it is no file", s.file(name), stage.ErrNotExist)
	}
	if length < 0 {
		length = max(0, info.Size()-offset)
	}
	if offset < 0 || offset+length > info.Size() {
		return dst, fmt.Errorf("%s: %w: it has %d bytes, and %d from %d were asked for", s.file(name), stage.ErrCorrupt, info.Size(), length, offset)
	}
	start := len(dst)
	dst = slices.Grow(dst, int(length))[:start+int(length)]
	if _, err := io.ReadFull(io.NewSectionReader(f, offset, length), dst[start:]); err != nil {
		return dst[:start], s.explain(fmt.Errorf("reading %d bytes from %d of %s: %w", length, offset, s.file(name), err))
	}
	return dst, nil
}

// List walks the directory that the prefix names.
func (s *storage) List(ctx context.Context, prefix string, fn func(stage.Object) error) error {
	root := s.dir
	if dir, _ := path.Split(prefix); dir != "" {
		if err := check(strings.TrimSuffix(dir, "/")); err != nil {
			return err
		}
		root = s.file(dir)
	}
	return filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // nothing stored yet, or deleted while we list
		}
		if err != nil {
			return s.explain(err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		rel, err := filepath.Rel(s.dir, file)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if d.IsDir() {
			if name == tempDir {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasPrefix(name, prefix) || check(name) != nil {
			return nil // a file that a Put can't have made, such as .nfs… or lost+found
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return s.explain(err)
		}
		return fn(stage.Object{Name: name, Size: info.Size()})
	})
}

// Delete removes the file, durably.
func (s *storage) Delete(ctx context.Context, name string) error {
	if err := check(name); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err := s.explain(os.Remove(s.file(name)))
	if errors.Is(err, stage.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.explain(syncDir(filepath.Dir(s.file(name))))
}

// Stat tells an object's size.
func (s *storage) Stat(ctx context.Context, name string) (stage.Object, error) {
	if err := check(name); err != nil {
		return stage.Object{}, err
	}
	if err := ctx.Err(); err != nil {
		return stage.Object{}, err
	}
	info, err := os.Stat(s.file(name))
	if err != nil {
		return stage.Object{}, s.explain(err)
	}
	if !info.Mode().IsRegular() {
		return stage.Object{}, fmt.Errorf("%s %w as an object: it is no file", s.file(name), stage.ErrNotExist)
	}
	return stage.Object{Name: name, Size: info.Size()}, nil
}

// Close gives tmp back.
func (s *storage) Close(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.temp == nil {
		return nil
	}
	err := s.temp.Close()
	s.temp = nil
	return err
}

func (s *storage) file(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

// check refuses what is not a name as stage.Storage defines it.
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
		return fmt.Errorf("object name %q: %s/ is for files that are being written", name, tempDir)
	}
	return nil
}

func outside(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune(".-_/", r))
}

// explain says what to do about an error of the file system.
func (s *storage) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR): // a file stands where the name has a directory
		return fmt.Errorf("%w: %w", stage.ErrNotExist, err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("no space is left in %s: free some, or take another directory; what is stored is whole, and the next run goes on from it: %w", s.dir, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("no right to use %s: run as its owner, or give this user the right: %w", s.dir, err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%s is on a read-only file system: mount it writable, or take another directory: %w", s.dir, err)
	}
	return err
}

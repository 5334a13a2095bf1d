package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/lmsvault/vault/plugins/sdk"
)

// storage is an sdk.Storage. Vault calls it from many goroutines at once.
type storage struct {
	sdk.UnimplementedStorage
	dir      string
	keepFree int64
}

// temp is the directory for unfinished files. No object can have its name.
const temp = "~new"

var goodName = regexp.MustCompile(`^[a-z0-9._-]+(/[a-z0-9._-]+)*$`)

// Put writes a temporary file, syncs it, renames it and syncs the directory. In this order
// a crash leaves the old object or the new one, never a partial one.
func (s *storage) Put(ctx context.Context, name string, data []byte) error {
	return s.store(ctx, name, data, os.Rename)
}

// Create is like Put, but changes nothing if the object exists. It is optional, and must be
// atomic: checking first and then writing could replace what another process stored in
// between.
func (s *storage) Create(ctx context.Context, name string, data []byte) error {
	return s.store(ctx, name, data, func(temp, path string) error {
		err := os.Link(temp, path)
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("object %s %w", name, sdk.ErrExist)
		}
		if err != nil {
			return err
		}
		return os.Remove(temp)
	})
}

func (s *storage) store(ctx context.Context, name string, data []byte, publish func(temp, path string) error) error {
	path, err := s.path(name)
	if err == nil {
		err = errors.Join(ctx.Err(), s.room(ctx, len(data)))
	}
	if err != nil {
		return err
	}
	for _, dir := range []string{filepath.Dir(path), filepath.Join(s.dir, temp)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	f, err := os.CreateTemp(filepath.Join(s.dir, temp), "put-")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = ctx.Err() // the call was cancelled: store nothing
	}
	if err == nil {
		err = publish(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return s.sync(path)
}

// sync makes the directory entries that lead to a file durable.
func (s *storage) sync(path string) error {
	for path != s.dir {
		path = filepath.Dir(path)
		d, err := os.Open(path)
		if err != nil {
			return err
		}
		if err := errors.Join(d.Sync(), d.Close()); err != nil {
			return err
		}
	}
	return nil
}

// Get appends exactly the requested bytes to dst.
func (s *storage) Get(ctx context.Context, dst []byte, name string, offset, length int64) (_ []byte, err error) {
	f, size, err := s.open(ctx, name)
	if err != nil {
		return dst, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if length < 0 {
		length = max(0, size-offset)
	}
	if offset < 0 || offset+length > size {
		return dst, fmt.Errorf("object %s is %w: it has %d bytes, requested were %d from offset %d", name, sdk.ErrCorrupt, size, length, offset)
	}
	start := len(dst)
	dst = slices.Grow(dst, int(length))[:start+int(length)]
	if _, err := io.ReadFull(io.NewSectionReader(f, offset, length), dst[start:]); err != nil {
		return dst[:start], err
	}
	return dst, nil
}

// List lists all files. A prefix is plain text: data/a matches data/ab/1. With the prefix
// "" it also lists files that Put did not create, so that a directory with other people's
// files does not look empty.
func (s *storage) List(ctx context.Context, prefix string, fn func(sdk.Object) error) error {
	return filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // nothing stored yet, or deleted meanwhile
		}
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == temp || d.Name() == "lost+found" {
				return fs.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(s.dir, path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if !strings.HasPrefix(name, prefix) || prefix != "" && !goodName.MatchString(name) {
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return fn(sdk.Object{Name: strings.ToValidUTF8(name, "\uFFFD"), Size: info.Size()})
	})
}

// Delete removes an object. It is not an error if the object does not exist.
func (s *storage) Delete(ctx context.Context, name string) error {
	path, err := s.path(name)
	if err := errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	err = os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.sync(path)
}

// Stat returns the size of an object.
func (s *storage) Stat(ctx context.Context, name string) (sdk.Object, error) {
	f, size, err := s.open(ctx, name)
	if err != nil {
		return sdk.Object{}, err
	}
	return sdk.Object{Name: name, Size: size}, f.Close()
}

// Close closes the instance. Stored objects must not depend on it.
func (s *storage) Close(context.Context) error { return nil }

// open opens the file of an object. Vault takes ErrNotExist to mean that there is no
// repository yet, so return it only if the object certainly does not exist.
func (s *storage) open(ctx context.Context, name string) (*os.File, int64, error) {
	path, err := s.path(name)
	if err := errors.Join(err, ctx.Err()); err != nil {
		return nil, 0, err
	}
	missing := fmt.Errorf("object %s %w in %s", name, sdk.ErrNotExist, s.dir)
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // opening a pipe would block
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, 0, missing
	}
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = missing // a directory with objects in it
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// path returns the path of an object. A name must not lead out of the directory.
func (s *storage) path(name string) (string, error) {
	if !goodName.MatchString(name) || !filepath.IsLocal(name) || filepath.Clean(name) != name {
		return "", fmt.Errorf("%q is not a valid object name", name)
	}
	return filepath.Join(s.dir, filepath.FromSlash(name)), nil
}

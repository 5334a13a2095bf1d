package files

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

const (
	tempDir  = "+tmp"         // names of objects have no +
	leftover = 24 * time.Hour // age at which a temporary file is considered abandoned
)

// lostFound is a directory that file systems create in the root of a disk.
const lostFound = "lost+found"

var (
	element  = regexp.MustCompile(`^[a-z0-9._-]+$`)  // an element of an object name
	tempName = regexp.MustCompile(`^[A-Z2-7]{26,}$`) // matches rand.Text
)

// storage is a stage.Storage. Each object is the file of that name below dir.
type storage struct {
	connection
	dir   string
	swept atomic.Bool
}

// Storage returns a storage in a directory of the server that dial connects to. It connects
// at the first call; the first Put creates the directory.
func Storage(dir string, log *slog.Logger, dial func(ctx context.Context) (Server, error)) stage.Storage {
	return &storage{connection: connection{dial: dial, log: log}, dir: path.Clean(dir)}
}

func (s *storage) file(name string) string { return path.Join(s.dir, name) }

func (s *storage) Put(ctx context.Context, name string, data []byte) error {
	return s.put(ctx, name, data, Server.Rename)
}

func (s *storage) Create(ctx context.Context, name string, data []byte) error {
	return s.put(ctx, name, data, func(c Server, from, to string) error {
		err := c.RenameNew(from, to)
		if err == nil || c.Lost(err) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, errors.ErrUnsupported) {
			return err
		}
		if _, bad := c.Stat(to); bad == nil { // servers don't say why they refuse
			return fmt.Errorf("%s %w: %w", name, stage.ErrExist, err)
		}
		return err
	})
}

func (s *storage) put(ctx context.Context, name string, data []byte, rename func(c Server, from, to string) error) error {
	return s.do(ctx, func(c Server) error {
		if !s.swept.Swap(true) {
			if err := s.sweep(c); err != nil {
				return err
			}
		}
		temp, file := s.file(path.Join(tempDir, rand.Text())), s.file(name)
		err := inDir(c, temp, func() error { return c.Write(temp, reader{ctx, bytes.NewReader(data)}) })
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = inDir(c, file, func() error { return rename(c, temp, file) })
		}
		if err == nil {
			return nil
		}
		if bad := c.Remove(temp); !errors.Is(bad, fs.ErrNotExist) {
			err = errors.Join(err, bad)
		}
		return err
	})
}

// inDir creates a file, and its directory if that is missing. Checking first would be
// slower.
func inDir(c Server, file string, make func() error) error {
	err := make()
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := c.MkdirAll(path.Dir(file)); err != nil {
		return err
	}
	return make()
}

// sweep removes temporary files left by a crash.
func (s *storage) sweep(c Server) error {
	found, err := c.ReadDir(s.file(tempDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, f := range found {
		if !f.Mode().IsRegular() || !tempName.MatchString(f.Name()) || time.Since(f.ModTime()) < leftover {
			continue
		}
		if bad := c.Remove(s.file(path.Join(tempDir, f.Name()))); !errors.Is(bad, fs.ErrNotExist) {
			err = errors.Join(err, bad)
		}
	}
	return err
}

func (s *storage) Get(ctx context.Context, dst []byte, name string, offset, length int64) ([]byte, error) {
	start := len(dst)
	err := s.do(ctx, func(c Server) (err error) {
		f, err := c.Open(s.file(name))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		o, err := object(name)(f.Stat())
		if err != nil {
			return err
		}
		n := length
		if n < 0 {
			n = o.Size - offset
		}
		if offset < 0 || n < 0 || offset+n > o.Size {
			return fmt.Errorf("%w: %s has %d bytes, requested were %d from offset %d", stage.ErrCorrupt, name, o.Size, length, offset)
		}
		dst = slices.Grow(dst[:start], int(n))[:start+int(n)]
		if _, err := io.ReadFull(reader{ctx, io.NewSectionReader(f, offset, n)}, dst[start:]); err != nil {
			return fmt.Errorf("reading %d bytes at offset %d of %s: %w", n, offset, name, err)
		}
		return nil
	})
	if err != nil {
		return dst[:start], err
	}
	return dst, nil
}

// object converts a result of Stat. Anything but a file is not an object.
func object(name string) func(fs.FileInfo, error) (stage.Object, error) {
	return func(info fs.FileInfo, err error) (stage.Object, error) {
		if err != nil {
			return stage.Object{}, err
		}
		if !info.Mode().IsRegular() {
			return stage.Object{}, fmt.Errorf("%s is not a file: %w", name, fs.ErrNotExist)
		}
		return stage.Object{Name: name, Size: info.Size()}, nil
	}
}

// List lists the directory that the prefix refers to.
func (s *storage) List(ctx context.Context, prefix string, fn func(stage.Object) error) error {
	dir, _ := path.Split(prefix)
	return s.list(ctx, path.Clean(dir), prefix, fn)
}

// list lists a directory recursively. Only the reading of a directory is retried, so fn
// gets each object once.
func (s *storage) list(ctx context.Context, dir, prefix string, fn func(stage.Object) error) error {
	var found []fs.FileInfo
	err := s.do(ctx, func(c Server) (err error) {
		found, err = c.ReadDir(s.file(dir))
		return err
	})
	if errors.Is(err, stage.ErrNotExist) {
		return nil // nothing stored yet, or deleted meanwhile
	}
	for _, f := range found {
		if err == nil {
			err = ctx.Err()
		}
		name := path.Join(dir, f.Name())
		switch {
		case err != nil:
			return err
		case f.IsDir() && (name == tempDir || name == lostFound):
		case !element.MatchString(f.Name()): // not created by Put, but the location is not empty
			if prefix == "" {
				err = fn(stage.Object{Name: strings.ToValidUTF8(name, "\uFFFD")})
			}
		case f.IsDir():
			err = s.list(ctx, name, prefix, fn)
		case f.Mode().IsRegular() && strings.HasPrefix(name, prefix):
			err = fn(stage.Object{Name: name, Size: f.Size()})
		}
	}
	return err
}

func (s *storage) Delete(ctx context.Context, name string) error {
	err := s.do(ctx, func(c Server) error { return c.Remove(s.file(name)) })
	if errors.Is(err, stage.ErrNotExist) {
		return nil
	}
	return err
}

func (s *storage) Stat(ctx context.Context, name string) (o stage.Object, err error) {
	err = s.do(ctx, func(c Server) (err error) {
		o, err = object(name)(c.Stat(s.file(name)))
		return err
	})
	return o, err
}

// Free returns the free space where the directory is or will be.
func (s *storage) Free(ctx context.Context) (free int64, err error) {
	err = s.do(ctx, func(c Server) (err error) {
		dir := s.dir
		free, err = c.Free(dir)
		for errors.Is(err, fs.ErrNotExist) && path.Dir(dir) != dir {
			dir = path.Dir(dir)
			free, err = c.Free(dir)
		}
		return err
	})
	return free, err
}

package files_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
	"github.com/lmsvault/vault/plugins/sdk/files"
)

var errLost = errors.New("connection lost")

// disk is a Server for local files. It is lost after a number of calls.
type disk struct{ left atomic.Int64 }

func (d *disk) call() error {
	if d.left.Add(-1) < 0 {
		return errLost
	}
	return nil
}

func (d *disk) Lost(err error) bool { return errors.Is(err, errLost) }

func (d *disk) Write(file string, r io.Reader) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, d.call(), f.Close())
}

func (d *disk) Rename(from, to string) error {
	if err := d.call(); err != nil {
		return err
	}
	return os.Rename(from, to)
}

func (d *disk) RenameNew(from, to string) error {
	if err := d.call(); err != nil {
		return err
	}
	if err := os.Link(from, to); err != nil {
		return err
	}
	return os.Remove(from)
}

func (d *disk) Open(file string) (files.File, error) {
	if err := d.call(); err != nil {
		return nil, err
	}
	f, err := os.Open(file)
	return f, exist(err)
}

func (d *disk) Stat(file string) (fs.FileInfo, error) {
	if err := d.call(); err != nil {
		return nil, err
	}
	info, err := os.Stat(file)
	return info, exist(err)
}

func (d *disk) ReadDir(dir string) ([]fs.FileInfo, error) {
	if err := d.call(); err != nil {
		return nil, err
	}
	found, err := os.ReadDir(dir)
	var infos []fs.FileInfo
	for _, f := range found {
		if info, err := f.Info(); err == nil {
			infos = append(infos, info)
		}
	}
	return infos, exist(err)
}

func (d *disk) MkdirAll(dir string) error {
	if err := d.call(); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o700)
}

func (d *disk) Remove(file string) error {
	if err := d.call(); err != nil {
		return err
	}
	return exist(os.Remove(file))
}

func (d *disk) Free(string) (int64, error) { return -1, nil }
func (d *disk) Close() error               { return nil }

// exist returns the error that file servers give for a file used as a directory.
func exist(err error) error {
	if _, bad := errors.AsType[*fs.PathError](err); bad && !errors.Is(err, fs.ErrPermission) {
		return fs.ErrNotExist
	}
	return err
}

// open opens a storage whose connections are lost after a number of calls.
func open(dir string, calls int64) stage.Storage {
	return files.Storage(dir, slog.New(slog.DiscardHandler), func(context.Context) (files.Server, error) {
		d := &disk{}
		d.left.Store(calls)
		return d, nil
	})
}

func TestContract(t *testing.T) {
	var dir string
	conformance.Storage(t, func(t testing.TB) stage.Storage {
		dir = filepath.Join(t.TempDir(), "new", "repository")
		return open(dir, 1<<60)
	}, func(testing.TB) stage.Storage { return open(dir, 1<<60) })
}

// A lost connection is a temporary error, and the next call reconnects. The longest call, a
// first Put, takes seven steps, so each call succeeds with one retry, wherever in it the
// connection is lost.
func TestLostConnectionIsRemade(t *testing.T) {
	for calls := int64(7); calls < 20; calls++ {
		s := open(t.TempDir(), calls)
		again := func(call func() error) {
			t.Helper()
			err := call()
			if _, temporary := stage.IsTemporary(err); temporary && errors.Is(err, errLost) {
				err = call()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		for range 5 {
			again(func() error { return s.Put(t.Context(), "a/object", []byte("content")) })
			again(func() error {
				got, err := s.Get(t.Context(), nil, "a/object", 3, -1)
				if err == nil && string(got) != "tent" {
					t.Errorf("got %q", got)
				}
				return err
			})
			again(func() error {
				var listed []string
				err := s.List(t.Context(), "a", func(o stage.Object) error { listed = append(listed, o.Name); return nil })
				if err == nil && len(listed) != 1 {
					t.Errorf("listed %q", listed)
				}
				return err
			})
			again(func() error { return s.Delete(t.Context(), "a/object") })
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// If the server can't be reached at first, the error is permanent: retries would only hide
// a mistyped name. A server that was connected before will come back.
func TestOnlyLostServerIsTemporary(t *testing.T) {
	up := false
	errDown := errors.New("connection refused")
	s := files.Storage(t.TempDir(), slog.New(slog.DiscardHandler), func(context.Context) (files.Server, error) {
		if !up {
			return nil, errDown
		}
		d := &disk{}
		d.left.Store(7)
		return d, nil
	})
	put := func(want bool) error {
		t.Helper()
		err := s.Put(t.Context(), "object", nil)
		if _, temporary := stage.IsTemporary(err); temporary != want {
			t.Errorf("error is %v; temporary should be %v", err, want)
		}
		return err
	}
	if err := put(false); !errors.Is(err, errDown) {
		t.Errorf("error %v", err)
	}
	up = true
	if err := put(false); err != nil {
		t.Fatal(err)
	}
	up = false
	for s.Put(t.Context(), "object", nil) == nil { // until the connection is lost
	}
	if err := put(true); !errors.Is(err, errDown) {
		t.Errorf("error %v", err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// Files not created by Put are kept and listed.
func TestForeignFilesAreKept(t *testing.T) {
	dir, old := t.TempDir(), time.Now().Add(-48*time.Hour)
	temp := filepath.Join(dir, "+tmp")
	if err := errors.Join(os.Mkdir(temp, 0o700), os.Mkdir(filepath.Join(dir, "lost+found"), 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Notes.txt", "+tmp/photo.jpg", "+tmp/ABCDEFGHIJKLMNOPQRSTUVWXYZ"} {
		file := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Chtimes(file, old, old)); err != nil {
			t.Fatal(err)
		}
	}
	s := open(dir, 1000)
	for prefix, want := range map[string]string{"": "Notes.txt x", "N": "", "x": "x"} {
		if err := s.Put(t.Context(), "x", nil); err != nil {
			t.Fatal(err)
		}
		var got []string
		if err := s.List(t.Context(), prefix, func(o stage.Object) error { got = append(got, o.Name); return nil }); err != nil {
			t.Fatal(err)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("prefix %q lists %q", prefix, got)
		}
	}
	left, err := os.ReadDir(temp)
	if err != nil || len(left) != 1 || left[0].Name() != "photo.jpg" {
		t.Errorf("tmp has %v, %v", left, err)
	}
}

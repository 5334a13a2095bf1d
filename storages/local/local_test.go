package local

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/machine"
)

func open(t testing.TB, dir string) *storage {
	t.Helper()
	s, err := Stage().NewStorage(t.Context(), &Config{Dir: dir}, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return s.(*storage)
}

func put(t testing.TB, s stage.Storage, name, data string) {
	t.Helper()
	if err := s.Put(t.Context(), name, []byte(data)); err != nil {
		t.Fatal(err)
	}
}

func list(t testing.TB, s stage.Storage, prefix string) []string {
	t.Helper()
	var names []string
	if err := s.List(t.Context(), prefix, func(o stage.Object) error {
		names = append(names, fmt.Sprintf("%s:%d", o.Name, o.Size))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func TestObjects(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "repository")
	s := open(t, dir)
	if got := list(t, s, ""); len(got) != 0 {
		t.Errorf("listed %v in a missing directory", got)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading created the directory: %v", err)
	}
	put(t, s, "packs/k/aa/one", "hello world")
	put(t, s, "packs/k/ab/two", "")
	put(t, s, "repository.json", "{}")
	put(t, s, "repository.json", "{ }")
	if got := list(t, s, ""); !slices.Equal(got, []string{"packs/k/aa/one:11", "packs/k/ab/two:0", "repository.json:3"}) {
		t.Errorf("listed %v", got)
	}
	for _, prefix := range []string{"packs/k/aa/", "packs/k/aa/o"} {
		if got := list(t, s, prefix); !slices.Equal(got, []string{"packs/k/aa/one:11"}) {
			t.Errorf("%s: listed %v", prefix, got)
		}
	}
	got, err := s.Get(t.Context(), []byte("> "), "packs/k/aa/one", 6, 5)
	if err != nil || string(got) != "> world" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := s.Get(t.Context(), nil, "packs/k/aa/one", 2, -1); err != nil || string(got) != "llo world" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := s.Get(t.Context(), nil, "packs/k/aa/one", 6, 6); err == nil {
		t.Error("no error for fewer bytes than requested")
	}
	if o, err := s.Stat(t.Context(), "packs/k/aa/one"); err != nil || o.Size != 11 {
		t.Errorf("stat: %v, %v", o, err)
	}
	for range 2 {
		if err := s.Delete(t.Context(), "packs/k/aa/one"); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Get(t.Context(), nil, "packs/k/aa/one", 0, -1); !errors.Is(err, stage.ErrNotExist) {
		t.Errorf("get after delete: %v", err)
	}
	if _, err := s.Stat(t.Context(), "packs/k/aa/one"); !errors.Is(err, stage.ErrNotExist) {
		t.Errorf("stat after delete: %v", err)
	}
}

func TestModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "r")
	put(t, open(t, dir), "keys/k", "secret")
	for name, want := range map[string]fs.FileMode{"": 0o700, "keys": 0o700, "keys/k": 0o600, "tmp": 0o700} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, want %v (%v)", name, info.Mode().Perm(), want, err)
		}
	}
}

func TestNames(t *testing.T) {
	s := open(t, t.TempDir())
	for _, name := range []string{"", "/a", "a/", "a//b", "../a", "a/../b", ".", "A", "a b", "a\x00", "é", "tmp/x", "tmp", strings.Repeat("a", 201)} {
		if err := s.Put(t.Context(), name, nil); err == nil {
			t.Errorf("put %q", name)
		}
		if _, err := s.Get(t.Context(), nil, name, 0, -1); err == nil {
			t.Errorf("got %q", name)
		}
		if err := s.Delete(t.Context(), name); err == nil {
			t.Errorf("deleted %q", name)
		}
	}
}

// Readers see either the old object or the new one, never a mixture.
func TestPutIsAtomic(t *testing.T) {
	s := open(t, t.TempDir())
	old, next := bytes.Repeat([]byte("a"), 1<<20), bytes.Repeat([]byte("b"), 2<<20)
	put(t, s, "x", string(old))
	var writing sync.WaitGroup
	writing.Go(func() {
		for i := range 20 {
			if err := s.Put(t.Context(), "x", [][]byte{next, old}[i%2]); err != nil {
				t.Error(err)
			}
		}
	})
	for range 200 {
		got, err := s.Get(t.Context(), nil, "x", 0, -1)
		if err != nil || !bytes.Equal(got, old) && !bytes.Equal(got, next) {
			t.Fatalf("read %d bytes, %v", len(got), err)
		}
	}
	writing.Wait()
}

// Temporary files of a killed process are removed once no writer is left, and not
// before.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir)
	put(t, first, "x", "1")
	left := filepath.Join(dir, "tmp", "put-ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	second := open(t, dir)
	put(t, second, "y", "2")
	if _, err := os.Stat(left); err != nil {
		t.Fatalf("swept beside a running writer: %v", err)
	}
	if err := errors.Join(first.Close(t.Context()), second.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	put(t, open(t, dir), "z", "3")
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("not swept: %v", err)
	}
	if got := list(t, open(t, dir), ""); !slices.Equal(got, []string{"x:1", "y:1", "z:1"}) {
		t.Errorf("listed %v", got)
	}
}

// A full disk is reported with location and remedy, and leaves no partial object
// behind.
func TestFullDisk(t *testing.T) {
	dir := machine.Tmpfs(t, "2m")
	s := open(t, filepath.Join(dir, "r"))
	put(t, s, "a", "kept")
	err := s.Put(t.Context(), "b", make([]byte, 4<<20))
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "free some") {
		t.Errorf("got %v", err)
	}
	if got := list(t, s, ""); !slices.Equal(got, []string{"a:4"}) {
		t.Errorf("listed %v", got)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "r", "tmp")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	if free, err := s.Free(t.Context()); err != nil || free > 2<<20 {
		t.Errorf("free %d, %v", free, err)
	}
}

func TestNotADirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, file).Free(t.Context()); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v", err)
	}
	if err := open(t, file).Put(t.Context(), "a", nil); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v", err)
	}
	if free, err := open(t, filepath.Join(t.TempDir(), "not", "yet")).Free(t.Context()); err != nil || free <= 0 {
		t.Errorf("a directory to be created: %d, %v", free, err)
	}
}

func TestNoPermission(t *testing.T) {
	s := open(t, "/srv/x")
	err := s.explain(&fs.PathError{Op: "open", Path: "/srv/x/keys", Err: syscall.EACCES})
	if err == nil || !strings.Contains(err.Error(), "/srv/x/keys") || !strings.Contains(err.Error(), "no permission to use /srv/x") {
		t.Errorf("got %v", err)
	}
}

func BenchmarkPut(b *testing.B) {
	s := open(b, b.TempDir())
	data := make([]byte, 16<<20)
	b.SetBytes(int64(len(data)))
	for i := 0; b.Loop(); i++ {
		if err := s.Put(b.Context(), fmt.Sprintf("packs/%d", i%8), data); err != nil {
			b.Fatal(err)
		}
	}
}

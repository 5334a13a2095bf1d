package caches_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/lmsvault/vault/core/moodle/caches"
)

// write creates files with 3 bytes each.
func write(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestEmptyRemovesAllButTheDirectory(t *testing.T) {
	dir := t.TempDir()
	cache, outside := filepath.Join(dir, "cache"), filepath.Join(dir, "outside")
	write(t, dir, "cache/a", "cache/.hidden", "cache/b/c/d", "outside/kept/file")
	for _, link := range []string{"cache/link", "cache/b/link"} {
		if err := os.Symlink(outside, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(cache, "nothing"), 0o755); err != nil {
		t.Fatal(err)
	}
	n, err := caches.Empty(t.Context(), cache, true)
	if err != nil || n.Files != 5 || len(names(t, cache)) != 5 {
		t.Errorf("a dry run: %+v, %v; left: %v", n, err, names(t, cache))
	}
	n, err = caches.Empty(t.Context(), cache, false)
	if err != nil || n.Files != 5 || n.Bytes < 9 {
		t.Errorf("%+v, %v", n, err)
	}
	if left := names(t, cache); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if _, err := os.Stat(filepath.Join(outside, "kept/file")); err != nil {
		t.Error("a symlink was followed")
	}
}

func TestEmptyDoesNotFollowTheDirectoryItself(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "outside/file")
	link := filepath.Join(dir, "cache")
	if err := os.Symlink(filepath.Join(dir, "outside"), link); err != nil {
		t.Fatal(err)
	}
	if _, err := caches.Empty(t.Context(), link, false); err == nil {
		t.Error("a symlink was followed")
	}
	if len(names(t, filepath.Join(dir, "outside"))) != 1 {
		t.Error("a file outside was removed")
	}
	if n, err := caches.Empty(t.Context(), filepath.Join(dir, "missing"), false); err != nil || n.Files != 0 {
		t.Errorf("a missing directory: %+v, %v", n, err)
	}
}

func TestEmptyEndsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a", "b")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := caches.Empty(ctx, dir, false); !errors.Is(err, context.Canceled) || len(names(t, dir)) != 2 {
		t.Errorf("%v; left: %v", err, names(t, dir))
	}
}

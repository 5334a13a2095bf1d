package local

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A power failure after Put has returned must not lose the object: its content is
// durable before it is renamed, and its name, with every new directory above it,
// before Put returns.
func TestPutIsDurable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "repository")
	s := open(t, dir)
	var synced []string
	s.sync = func(f *os.File) error {
		_, named := os.Stat(filepath.Join(dir, "packs/ab/x"))
		name, err := filepath.Rel(dir, f.Name())
		if strings.HasPrefix(filepath.Base(name), tempPrefix) {
			name = "content"
		}
		synced = append(synced, fmt.Sprintf("%s %v", name, named == nil))
		return err
	}
	if err := s.Put(t.Context(), "packs/ab/x", []byte("content")); err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, want := range []string{".. false", ". false", "packs false", "content false", "packs/ab true"} { // name, and whether the object had its own
		i := slices.Index(synced[at:], want)
		if i < 0 {
			t.Fatalf("no sync of %q in order: %q", want, synced)
		}
		at += i + 1
	}
	synced = nil
	if err := s.Delete(t.Context(), "packs/ab/x"); err != nil || !slices.Contains(synced, "packs/ab false") {
		t.Errorf("Delete syncs %q (%v)", synced, err)
	}
}

func TestFailedSyncFailsPut(t *testing.T) {
	s := open(t, t.TempDir())
	if err := s.Put(t.Context(), "before", nil); err != nil {
		t.Fatal(err)
	}
	s.sync = func(*os.File) error { return os.ErrDeadlineExceeded }
	if err := s.Put(t.Context(), "x", []byte("content")); err == nil {
		t.Error("Put returns nil")
	}
}

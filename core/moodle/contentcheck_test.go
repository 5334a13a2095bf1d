package moodle

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lmsvault/vault/core/schema"
)

var filesTable = schema.Table{Name: FilesTable, Columns: []schema.Column{{Name: "id"}, {Name: ContentHashColumn}, {Name: "filename"}}}

func hashOf(n int) string { return fmt.Sprintf("%x", sha1.Sum(fmt.Append(nil, n))) }

func missing(t *testing.T, c *ContentCheck) (hashes []string, orphans int64) {
	t.Helper()
	orphans, err := c.Missing(t.Context(), func(hash string) error {
		hashes = append(hashes, hash)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return hashes, orphans
}

func newContentCheck(t *testing.T) *ContentCheck {
	t.Helper()
	c, err := NewContentCheck(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Each of contents 0…29999 is referred to by two rows; 10000…39999 are delivered.
func TestContentCheckFindsMissingContents(t *testing.T) {
	c := newContentCheck(t)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := worker; i < 30000; i += 4 {
				row := fmt.Sprintf("%d\t%s\ta\\tname\n%d\t%s\t.\n", 2*i, hashOf(i), 2*i+1, hashOf(i))
				if err := c.Named(t.Context(), filesTable, []byte(row)); err != nil {
					t.Error(err)
				}
				if err := c.Delivered(hashOf(i + 10000)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var want []string
	for i := range 10000 {
		want = append(want, hashOf(i))
	}
	slices.Sort(want)
	got, orphans := missing(t, c)
	if !slices.Equal(got, want) {
		t.Errorf("%d missing contents, want %d, in order and each once", len(got), len(want))
	}
	if orphans != 10000 {
		t.Errorf("%d orphans, want 10000", orphans)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(c.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory still exists: %v", err)
	}
}

func TestContentCheckOfOddRows(t *testing.T) {
	c := newContentCheck(t)
	upper := strings.ToUpper(hashOf(1))
	data := "1\t" + EmptyContent + "\t.\n" + // the row of a directory
		"2\t\\N\tx\n" +
		"3\tnot a hash\tx\n4\tnot a hash\tx\n" +
		"5\t" + upper + "\tx\n" +
		"6\t" + hashOf(1) + "\tx\n"
	if err := c.Named(t.Context(), filesTable, []byte(data)); err != nil {
		t.Fatal(err)
	}
	other := schema.Table{Name: "user", Columns: []schema.Column{{Name: "id"}}}
	if err := c.Named(t.Context(), other, []byte("1\n")); err != nil {
		t.Fatal(err)
	}
	got, orphans := missing(t, c)
	if want := []string{hashOf(1), upper, "not a hash"}; !slices.Equal(got, want) || orphans != 0 {
		t.Errorf("missing %q, %d orphans, want %q and 0", got, orphans, want)
	}
}

func TestContentCheckRefusesOtherTables(t *testing.T) {
	c := newContentCheck(t)
	for name, data := range map[string]string{"cut off": "1\t" + hashOf(1), "too few columns": "1\n"} {
		if err := c.Named(t.Context(), filesTable, []byte(data)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := c.Named(t.Context(), schema.Table{Name: FilesTable}, []byte("1\n")); err == nil {
		t.Error("a table without the column: no error")
	}
	if err := c.Delivered("warning.txt"); err == nil {
		t.Error("a name that is no hash: no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Missing(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	stop := errors.New("stop")
	if err := c.Named(t.Context(), filesTable, []byte("1\t"+hashOf(1)+"\tx\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Missing(t.Context(), func(string) error { return stop }); err != stop {
		t.Errorf("error of the callback: %v", err)
	}
}

func BenchmarkNamed(b *testing.B) {
	c, err := NewContentCheck(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	var data []byte
	for i := range 1000 {
		data = fmt.Appendf(data, "%d\t%s\tname\n", i, hashOf(i))
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Named(b.Context(), filesTable, data); err != nil {
			b.Fatal(err)
		}
	}
}

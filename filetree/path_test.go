package filetree

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

func TestCheckPath(t *testing.T) {
	for _, bad := range []string{"", "/", "/etc/passwd", "..", "../x", "a/..", "a/../b", ".", "./a", "a/.", "a//b", "a/", "/a", "a\x00b"} {
		if CheckPath(bad) == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	for _, good := range []string{"a", "a/b", "...", "a/..b", "..a", " ", "\n", "\xff", `..\x`, "C:", "-rf"} {
		if err := CheckPath(good); err != nil {
			t.Errorf("%q is refused: %v", good, err)
		}
	}
}

// Every accepted path stays below the root.
func FuzzBelow(f *testing.F) {
	for _, seed := range []string{"dataroot/a", "dataroot/../x", "dataroot//etc", "dataroot", "filedir/a", "dataroot/a\x00", "dataroot/\xff/..."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		rel, err := Below("dataroot", path)
		if err != nil {
			return
		}
		if !filepath.IsLocal(rel) || filepath.Clean(rel) != rel || strings.Contains(rel, "\x00") || "dataroot/"+rel != path {
			t.Errorf("%q is accepted as %q", path, rel)
		}
		dir, name := split(rel)
		if join(dir, name) != rel || strings.Contains(name, "/") {
			t.Errorf("%q is split into %q and %q", rel, dir, name)
		}
	})
}

func TestNamesOfLargeDirectory(t *testing.T) {
	dir := t.TempDir()
	var want []string
	for a := 'a'; a <= 'z'; a++ {
		for b := 'a'; b <= 'z'; b++ {
			name := string(a) + string(b)
			want = append(want, name)
			must(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
		}
	}
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close()
	for _, atOnce := range []int{1, 7, 26, 675, 676, 677, 5000} {
		var got []string
		for name, err := range sortedNames(root, "", atOnce) {
			must(t, err)
			got = append(got, name)
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%d at once: %d names, want %d in order", atOnce, len(got), len(want))
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// committed commits a unit.
func committed(t testing.TB, u stage.FileUnit) *stage.Receipt {
	t.Helper()
	r, err := u.Commit(t.Context())
	must(t, err)
	return r
}

package siteconfig

import (
	"os"
	"path/filepath"
	"testing"
)

// Whatever a config.php contains, reading its settings never panics, and the drivers
// accept the DSN of a returned database.
func FuzzRead(f *testing.F) {
	seeds, err := filepath.Glob("testdata/sites/*/config.php")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range seeds {
		src, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(src), "https://one.example.org", "x")
	}
	f.Fuzz(func(t *testing.T, code, address, value string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "config.php"), []byte(code), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Read(t.Context(), dir, Options{Address: address, Env: func(name string) (string, bool) { return value, len(name)%2 == 0 }})
		if err == nil {
			describe(t, s)
		}
	})
}

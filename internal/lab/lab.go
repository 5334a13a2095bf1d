// Package lab gives tests access to real Moodle sites in a directory beside the
// project. They are not part of the project; tests skip where they are missing.
package lab

import (
	"archive/tar"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/zstd"

	"github.com/lmsvault/vault/internal/machine"
)

// Dir returns the directory of the real sites, or skips the test if it is missing.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for !exists(filepath.Join(dir, "go.mod")) {
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("go.mod is not above the test")
		}
		dir = up
	}
	shared := filepath.Join(filepath.Dir(dir), "shared")
	lab := filepath.Join(shared, "lab")
	if !exists(filepath.Join(lab, "unpack")) {
		if exists(shared) {
			machine.Missing(t, "the real sites, although %s is there", shared)
		}
		t.Skipf("the real sites are not here (%s); nothing is tested on them", lab)
	}
	return lab
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Code returns the sites' code: every install.xml, version.php and list of plugins. It
// skips the test where the sites are missing. The caller may add files.
func Code(t testing.TB) fstest.MapFS {
	t.Helper()
	f, err := os.Open(filepath.Join(Dir(t), "code.tar.zst"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	code := fstest.MapFS{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return code
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		file := &fstest.MapFile{Data: data, Mode: 0o644}
		if h.FileInfo().IsDir() {
			file = &fstest.MapFile{Mode: fs.ModeDir | 0o755}
		}
		code[strings.Trim(strings.TrimPrefix(h.Name, "./"), "/")] = file
	}
}

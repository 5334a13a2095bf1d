package e2e

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree describes everything below a directory: kind, mode, time, content or target.
func tree(t testing.TB, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil || rel == "." || rel == ".vault-restored" { // the marker of a restore
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			all[rel] = "link to " + target
		case info.IsDir() && strings.HasPrefix(rel+"/", "filedir/"):
			all[rel] = fmt.Sprintf("folder %v", info.Mode()) // directories of filedir follow from the names in them
		case info.IsDir():
			all[rel] = fmt.Sprintf("folder %v %s", info.Mode(), info.ModTime().UTC())
		default:
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			all[rel] = fmt.Sprintf("file %v %s %x", info.Mode(), info.ModTime().UTC(), sha256.Sum256(content))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// sameTree requires that two directories have the same contents.
func sameTree(t testing.TB, want, got map[string]string) {
	t.Helper()
	for path, w := range want {
		if got[path] != w {
			t.Errorf("%q is\n got  %s\n want %s", path, got[path], w)
		}
	}
	for path := range got {
		if _, ok := want[path]; !ok {
			t.Errorf("%q was not in the original", path)
		}
	}
}

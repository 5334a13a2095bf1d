package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A directory that is not mounted makes no backup: neither where the tables name
// what is missing nor where only the previous snapshot tells.
func TestUnmountedDirectoryMakesNoBackup(t *testing.T) {
	for name, kept := range map[string]string{"filedir": "filedir", "data root": ""} {
		t.Run(name, func(t *testing.T) {
			p := at(t)
			must(t, p.env, "run", p.backupPipeline(t))
			away := filepath.Join(p.dir, "data", kept)
			if err := os.Rename(away, filepath.Join(p.dir, "away")); err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Join(p.dir, "data/filedir"), 0o777); err != nil {
				t.Fatal(err)
			}
			out := vault(t, p.env, "run", p.backupPipeline(t))
			if out.code != 4 || !strings.Contains(out.stderr, "missing_part") || !strings.Contains(out.stderr, "is it mounted?") {
				t.Errorf("exit %d: %s", out.code, out.stderr)
			}
			if list := must(t, p.env, "snapshots", filepath.Join(p.dir, "repo"), "--json"); strings.Count(list.stdout, "nightly") != 1 {
				t.Errorf("there should be one snapshot:\n%s", list.stdout)
			}
		})
	}
}

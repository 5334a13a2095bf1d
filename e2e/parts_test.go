package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A backup fails if a directory is not mounted, whether the tables name the missing
// files or only the previous snapshot shows that they are missing.
func TestUnmountedDirectoryMakesNoBackup(t *testing.T) {
	for _, c := range []struct {
		name, dir string
		backups   int // before it disappears
		code      int
	}{
		{"filedir at first", "filedir", 0, 4},
		{"filedir later", "filedir", 1, 3},
		{"data root later", "", 1, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := at(t)
			for range c.backups {
				must(t, p.env, "run", p.backupPipeline(t))
			}
			if err := os.Rename(filepath.Join(p.dir, "data", c.dir), filepath.Join(p.dir, "away")); err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Join(p.dir, "data/filedir"), 0o777); err != nil {
				t.Fatal(err)
			}
			out := vault(t, p.env, "run", p.backupPipeline(t))
			if out.code != c.code || !strings.Contains(out.stderr, "missing_part") || !strings.Contains(out.stderr, "is it mounted?") {
				t.Errorf("exit %d: %s", out.code, out.stderr)
			}
			if list := must(t, p.env, "snapshots", filepath.Join(p.dir, "repo"), "--json"); strings.Count(list.stdout, "nightly") != c.backups {
				t.Errorf("want %d snapshots, got:\n%s", c.backups, list.stdout)
			}
		})
	}
}

package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/internal/compare"
)

// place is a sample site on disk and its backup.
type place struct {
	dir string
	env []string
}

// at creates a sample site in SQLite with files and dataroot.
func at(t testing.TB) place {
	t.Helper()
	p := place{dir: t.TempDir(), env: []string{"PASS=correct horse battery", "LMSVAULT_PASSPHRASE=correct horse battery"}}
	must(t, p.env, "run", pipelineFile(t, fmt.Sprintf(`version: 1
source: [{use: sample}]
sink: [{use: sqlite, with: {path: %s/site.sqlite}}, {use: files, with: {dir: %s/data/filedir}}, {use: dataroot, with: {dir: %s/data}}]
`, p.dir, p.dir, p.dir)))
	return p
}

func (p place) backupPipeline(t testing.TB) string {
	return pipelineFile(t, fmt.Sprintf(`version: 1
name: nightly
source: [{use: sqlite, with: {path: %[1]s/site.sqlite}}, {use: files, with: {dir: %[1]s/data/filedir}}, {use: dataroot, with: {dir: %[1]s/data}}]
transform: [{use: compress}, {use: encrypt, with: {passphrase: "${env:PASS}"}}]
sink: [{use: local, with: {dir: %[1]s/repo, create: true}}]
`, p.dir))
}

func (p place) restorePipeline(t testing.TB, database string) string {
	return pipelineFile(t, fmt.Sprintf(`version: 1
source: [{use: local, with: {dir: %[1]s/repo, snapshot: latest, passphrase: "${env:PASS}"}}]
sink: [%[2]s, {use: files, with: {dir: %[1]s/new/filedir}}, {use: dataroot, with: {dir: %[1]s/new}}]
`, p.dir, database))
}

func repoBytes(t testing.TB, dir string) (bytes int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		bytes += info.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// A compressed, encrypted backup can be restored on every engine. Rows are compared
// by SQL, files and dataroot by content, mode, time and link target.
func TestBackupRestoresOnEveryEngine(t *testing.T) {
	p := at(t)
	must(t, p.env, "run", p.backupPipeline(t))
	original := sqliteAt(t, filepath.Join(p.dir, "site.sqlite"))
	want := compare.Site(t, original)
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			target := e.make(t)
			if err := os.RemoveAll(filepath.Join(p.dir, "new")); err != nil {
				t.Fatal(err)
			}
			must(t, append(p.env, "TO="+target.env), "run", p.restorePipeline(t, fmt.Sprintf(target.stage, "TO")))
			compare.Equal(t, want, compare.Site(t, target.look))
			sameTree(t, tree(t, filepath.Join(p.dir, "data")), tree(t, filepath.Join(p.dir, "new")))
		})
	}
}

// A second backup of an unchanged site stores almost nothing.
func TestUnchangedSiteStoresAlmostNothing(t *testing.T) {
	p := at(t)
	must(t, p.env, "run", p.backupPipeline(t))
	first := repoBytes(t, filepath.Join(p.dir, "repo"))
	must(t, p.env, "run", p.backupPipeline(t))
	second := repoBytes(t, filepath.Join(p.dir, "repo")) - first
	if second > 64<<10 {
		t.Errorf("the first backup stored %d bytes, the second %d", first, second)
	}
	if list := must(t, p.env, "snapshots", filepath.Join(p.dir, "repo"), "--json"); strings.Count(list.stdout, "nightly") != 2 {
		t.Errorf("want two snapshots, got:\n%s", list.stdout)
	}
}

// A dry run reads and checks everything and leaves no trace.
func TestDryRunWritesNothing(t *testing.T) {
	p := at(t)
	out := must(t, p.env, "run", "--dry-run", p.backupPipeline(t))
	if _, err := os.Stat(filepath.Join(p.dir, "repo")); !os.IsNotExist(err) {
		t.Errorf("a dry run created the repository: %v\n%s", err, out.stdout)
	}
}

// An encrypted repository contains no name of a table or file in clear text.
func TestEncryptedRepositoryHidesNames(t *testing.T) {
	p := at(t)
	must(t, p.env, "run", p.backupPipeline(t))
	err := filepath.WalkDir(filepath.Join(p.dir, "repo"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, word := range []string{"config_plugins", "logstore", "filedir", "dataroot", "contenthash"} {
			if strings.Contains(string(raw), word) || strings.Contains(path, word) {
				t.Errorf("%s contains %q", path, word)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

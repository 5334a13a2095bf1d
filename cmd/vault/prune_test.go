package main

import (
	"encoding/json"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/cmd/vault/cli"
)

// used returns the total size of the files in a directory.
func used(t *testing.T, dir string) (n int64) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			info, bad := d.Info()
			if bad != nil {
				return bad
			}
			n += info.Size()
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPruneReportsAndFreesSpace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "repo")
	whole := written(t, "whole.yaml", strings.Replace(small, "{files: false}", "{files: true}", 1))
	vault(t, 0, nil, "run", whole, "--set", "dir="+dir)
	id := snapshotIDs(t, dir)[0]
	runs(t, dir, 1)
	vault(t, 0, nil, "forget", dir, id)
	before := used(t, dir)
	o := vault(t, 0, nil, "prune", dir, "--max-waste", "20", "--dry-run", "--json")
	var doc struct {
		DryRun    bool  `json:"dry_run"`
		FreeBytes int64 `json:"free_bytes"`
	}
	if err := json.Unmarshal([]byte(o.stdout), &doc); err != nil || !doc.DryRun || doc.FreeBytes <= 0 || used(t, dir) != before {
		t.Fatalf("%v: a dry run prints %s", err, o.stdout)
	}
	if o := vault(t, 0, nil, "prune", dir, "--max-waste", "20"); !strings.Contains(o.stdout, "; frees "+cli.Size(doc.FreeBytes)) || !strings.Contains(o.stdout, "\nfreed ") {
		t.Errorf("prune prints %s", o.stdout)
	}
	if freed := before - used(t, dir); freed < doc.FreeBytes*8/10 {
		t.Errorf("%d bytes were freed of %d", freed, doc.FreeBytes)
	}
	vault(t, 0, nil, "verify", dir)
	if o := vault(t, 0, nil, "verify", dir, "--read-data-subset", "2/2"); !strings.Contains(o.stdout, "2/2 of the content") {
		t.Errorf("verify prints %s", o.stdout)
	}
	for _, wrong := range [][]string{{"--read-data-subset", "3/2"}, {"--read-data-subset", "1/2", "--site", "x"}} {
		if o := vault(t, 2, nil, append([]string{"verify", dir}, wrong...)...); !strings.Contains(o.stderr, "--read-data-subset") {
			t.Errorf("verify %q prints %s", wrong, o.stderr)
		}
	}
	for say, args := range map[string][]string{"from 0 to 100": {"--max-waste", "101"}, "always covers all snapshots": {"--site", "x"}} {
		if o := vault(t, 2, nil, append([]string{"prune", dir}, args...)...); !strings.Contains(o.stderr, say) {
			t.Errorf("prune %q prints %s", args, o.stderr)
		}
	}
}

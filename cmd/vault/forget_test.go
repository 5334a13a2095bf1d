package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// runs backs up the sample site several times and returns the IDs of the snapshots.
func runs(t *testing.T, dir string, n int, args ...string) []string {
	t.Helper()
	file := written(t, "p.yaml", small)
	for range n {
		vault(t, 0, nil, append([]string{"run", file, "--set", "dir=" + dir}, args...)...)
	}
	return snapshotIDs(t, dir)
}

func snapshotIDs(t *testing.T, dir string, args ...string) []string {
	t.Helper()
	var lines []struct{ ID string }
	o := vault(t, 0, nil, append([]string{"snapshots", dir, "--json"}, args...)...)
	if err := json.Unmarshal([]byte(o.stdout), &lines); err != nil {
		t.Fatalf("%v: %s", err, o.stdout)
	}
	var ids []string
	for _, l := range lines {
		ids = append(ids, l.ID)
	}
	return ids
}

func TestForgetFollowsKeepFlags(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "repo")
	ids := runs(t, dir, 3)
	tagged := runs(t, dir, 1, "--tag", "before-upgrade")[3]
	if got := snapshotIDs(t, dir, "--tag", "before-upgrade"); !slices.Equal(got, []string{tagged}) {
		t.Errorf("tagged snapshots: %q", got)
	}
	o := vault(t, 0, nil, "forget", dir, "--keep-last", "2", "--dry-run", "--json")
	var doc struct {
		Keep, Remove []struct {
			ID      string
			Reasons []string
		}
	}
	if err := json.Unmarshal([]byte(o.stdout), &doc); err != nil || len(doc.Keep) != 2 || len(doc.Remove) != 2 || doc.Remove[1].ID != ids[1] || !slices.Equal(doc.Keep[0].Reasons, []string{"last"}) {
		t.Errorf("%v: a dry run prints %s", err, o.stdout)
	}
	if o := vault(t, 0, nil, "forget", dir, "--keep-last", "2"); !strings.Contains(o.stdout, "removed 2 snapshots") {
		t.Errorf("forget prints %s", o.stdout)
	}
	if o := vault(t, 0, nil, "forget", dir, ids[2]); !strings.Contains(o.stdout, "removed 1 snapshot;") {
		t.Errorf("forget prints %s", o.stdout)
	}
	if got := snapshotIDs(t, dir); !slices.Equal(got, []string{tagged}) {
		t.Errorf("remaining snapshots: %q", got)
	}
	if o := vault(t, 0, nil, "verify", dir); !strings.Contains(o.stdout, "no damage found") {
		t.Errorf("verify prints %s", o.stdout)
	}
	vault(t, 0, nil, "run", written(t, "p.yaml", small), "--set", "dir="+dir)
	left, err := filepath.Glob(filepath.Join(dir, "snapshots", "*", tagged))
	if err != nil || len(left) != 1 {
		t.Fatal(left, err)
	}
	if err := os.Remove(left[0]); err != nil {
		t.Fatal(err)
	}
	if o := vault(t, 4, nil, "verify", dir); !strings.Contains(o.stdout, tagged+": the snapshot is gone, and no removal is recorded") {
		t.Errorf("verify prints %s", o.stdout)
	}
}

func TestForgetRefusesWrongUse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "repo")
	ids := runs(t, dir, 1)
	for say, args := range map[string][]string{
		"give IDs, or flags":         {},
		"not both":                   {ids[0], "--keep-last", "1"},
		"--keep-daily must be":       {"--keep-daily", "0"},
		"--keep-last must be":        {"--keep-last", "-1"},
		"is not a span of time":      {"--keep-within", "soon"},
		"there is no snapshot":       {"20200101"},
		`no snapshot of tag "x"`:     {"--keep-last", "1", "--tag", "x"},
		"omit them with IDs":         {ids[0], "--site", "x"},
		"--signing-key-file: ":       {ids[0], "--signing-key-file", written(t, "key", "x")},
		"there is no snapshot of si": {"--keep-last", "1", "--site", "x"},
	} {
		if o := vault(t, 2, nil, append([]string{"forget", dir}, args...)...); !strings.Contains(o.stderr, say) {
			t.Errorf("forget %q prints %s", args, o.stderr)
		}
	}
	if got := snapshotIDs(t, dir); len(got) != 1 {
		t.Errorf("remaining snapshots: %q", got)
	}
}

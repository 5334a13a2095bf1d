package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/cmd/vault/snapshotcmd"
	"github.com/lmsvault/vault/core/stage"
)

// contents lists the files of a filedir.
func contents(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && len(d.Name()) == 40 {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// All commands show that a backup was accepted with missing files, and its restore is
// refused until the loss is accepted again.
func TestLossesOfSnapshotAreShownAndMustBeAccepted(t *testing.T) {
	dir := t.TempDir()
	env := []string{"DIR=" + dir}
	fill := written(t, "fill.yaml", `version: 1
source: [{use: sample}]
sink: [{use: sqlite, with: {path: "${env:DIR}/site.db"}}, {use: files, with: {dir: "${env:DIR}/filedir"}}, {use: dataroot, with: {dir: "${env:DIR}/dataroot"}}]
`)
	vault(t, 0, env, "run", fill)
	full := contents(t, dir+"/filedir")
	for _, file := range full[:3] {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	backup := written(t, "backup.yaml", `version: 1
accept_loss: {missing_file: 3}
source: [{use: sqlite, with: {path: "${env:DIR}/site.db"}}, {use: files, with: {dir: "${env:DIR}/filedir"}}]
sink: [{use: local, with: {dir: "${env:DIR}/repository", create: true}}]
`)
	vault(t, 0, env, "run", backup)

	repo := dir + "/repository"
	for command, says := range map[string]string{"snapshots": "3 files", "show": "\nlacks 3 files\n", "verify": "is partial: the backup lost 3 files"} {
		if o := vault(t, 0, nil, command, repo); !strings.Contains(o.stdout, says) {
			t.Errorf("%s prints\n%s", command, o.stdout)
		}
		lines := strings.Split(strings.TrimSpace(vault(t, 0, nil, command, repo, "--json").stdout), "\n")
		if command == "verify" {
			lines = lines[len(lines)-1:]
		}
		if doc := strings.Join(lines, ""); !json.Valid([]byte(doc)) || !strings.Contains(strings.ReplaceAll(doc, " ", ""), `"lacks":{"missing_file":3}`) {
			t.Errorf("%s --json prints\n%s", command, doc)
		}
	}

	restore := written(t, "restore.yaml", `version: 1
source: [{use: local, with: {dir: "${env:DIR}/repository"}}]
sink: [{use: sqlite, with: {path: "${env:DIR}/copy.db"}}, {use: files, with: {dir: "${env:DIR}/filedir", replace: true}}]
`)
	if err := os.WriteFile(full[0], nil, 0o600); err != nil { // put the file back into the site
		t.Fatal(err)
	}
	for _, command := range []string{"plan", "run"} {
		o := vault(t, 3, env, command, restore)
		if !strings.Contains(o.stderr, "--accept-loss missing_file=3") || !strings.Contains(o.stderr, "recorded when the snapshot was made") {
			t.Errorf("%s prints\n%s", command, o.stderr)
		}
	}
	if n := len(contents(t, dir+"/filedir")); n != len(full)-2 {
		t.Errorf("%d files are there", n)
	}
	o := vault(t, 0, env, "run", restore, "--accept-loss", "missing_file=3")
	if n := len(contents(t, dir+"/filedir")); n != len(full)-3 || strings.Count(o.stdout, "loss: missing_file") != 3 {
		t.Errorf("%d files were restored, and the output is\n%s", n, o.stdout)
	}
	if _, err := os.Stat(fmt.Sprint(dir, "/copy.db")); err != nil {
		t.Error(err)
	}
}

// All commands show that a snapshot was made with a selection.
func TestSelectionOfSnapshotIsShown(t *testing.T) {
	repo := t.TempDir() + "/repository"
	backup := written(t, "backup.yaml", `version: 1
source: [{use: sample, with: {db_bytes: 16KiB, files: false}}]
select: {exclude_tables: [config]}
sink: [{use: local, with: {dir: "${env:REPO}", create: true}}]
`)
	vault(t, 0, []string{"REPO=" + repo}, "run", backup)
	for command, says := range map[string]string{"snapshots": "partial (selection)", "show": "\npartial: made with a selection\n", "verify": "is partial: made with a selection"} {
		if o := vault(t, 0, nil, command, repo); !strings.Contains(o.stdout, says) {
			t.Errorf("%s prints\n%s", command, o.stdout)
		}
	}
	var shown struct {
		Partial bool              `json:"partial"`
		Units   []json.RawMessage `json:"units"`
	}
	if o := vault(t, 0, nil, "show", repo, "--json"); json.Unmarshal([]byte(o.stdout), &shown) != nil || !shown.Partial || len(shown.Units) == 0 {
		t.Errorf("show --json prints\n%s", o.stdout)
	}
	var listed []struct{ Partial bool }
	if o := vault(t, 0, nil, "snapshots", repo, "--json"); json.Unmarshal([]byte(o.stdout), &listed) != nil || len(listed) != 1 || !listed[0].Partial {
		t.Errorf("snapshots --json prints\n%s", o.stdout)
	}
}

func TestEveryKindOfLossHasANoun(t *testing.T) {
	for _, kind := range stage.LossKinds() {
		if says := snapshotcmd.Lacking(map[stage.LossKind]int64{kind: 2}); strings.Contains(says, "_") || !strings.HasPrefix(says, "2 ") {
			t.Errorf("%s: got %q", kind, says)
		}
	}
}

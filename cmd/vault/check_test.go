package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/builtin"
	"github.com/lmsvault/vault/core/moodle/check"
	"github.com/lmsvault/vault/core/stage"
)

func TestPageOfChecksIsCurrent(t *testing.T) {
	got, err := os.ReadFile("../../docs/checks.md")
	if err != nil || string(got) != check.Page(builtin.Checks()) {
		t.Errorf("docs/checks.md is not current: run go generate ./cmd/vault (%v)", err)
	}
	o := vault(t, 0, nil, "check", "--list")
	for _, g := range builtin.Checks() {
		for _, c := range g.Checks {
			if !strings.Contains(o.stdout, "  "+c.ID+"  ") {
				t.Errorf("vault check --list does not list %s", c.ID)
			}
		}
	}
}

// checked writes a pipeline that backs up a sample site, with the checks of a backup.
func checked(t *testing.T, rest string) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	made := filepath.Join(dir, "made.yaml")
	if err := os.WriteFile(made, []byte("version: 1\nsource: [{use: sample}]\nsink: [{use: sqlite, with: {path: site.sqlite}}, {use: files, with: {dir: data/filedir}}, {use: dataroot, with: {dir: data}}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	vault(t, 0, nil, "run", made)
	file = filepath.Join(dir, "backup.yaml")
	text := `# nightly
version: 1
before:
  - use: check-backup # before every run
    when: planned
    with: {engine: sqlite, path: site.sqlite, dataroot: data}
source: [{use: sqlite, with: {path: site.sqlite}}, {use: files, with: {dir: data/filedir}}, {use: dataroot, with: {dir: data}}]
sink: [{use: local, with: {dir: repo, create: true}}]
` + rest
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, file
}

// lacking removes a content that the sample site has.
func lacking(t *testing.T, dir string) (hash string) {
	t.Helper()
	contents, err := filepath.Glob(filepath.Join(dir, "data/filedir/??/??/*"))
	if err != nil || len(contents) < 10 {
		t.Fatalf("%d contents, %v", len(contents), err)
	}
	for _, path := range contents {
		if info, err := os.Stat(path); err == nil && info.Size() > 0 {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			return filepath.Base(path)
		}
	}
	t.Fatal("all contents are empty")
	return ""
}

type report struct {
	Pipeline string
	Level    stage.Level
	Findings []struct {
		Action string
		stage.ActionFinding
	}
}

func reported(t *testing.T, text string) (r report) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return r
}

// A check that fails refuses the run, and vault check says so before.
func TestCheckReportsWhatRefusesRun(t *testing.T) {
	dir, file := checked(t, "")
	o := vault(t, 0, nil, "check", file)
	for _, want := range []string{"check-backup\n", "  ok       missing-files: ", "  note     site-size:db: ", "plan\n  ok       losses: nothing would be lost", "backup: 0 failed, "} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("no %q in\n%s", want, o.stdout)
		}
	}
	if there(dir, "repo") {
		t.Error("the check creates the repository")
	}
	hash := lacking(t, dir)
	o = vault(t, 3, nil, "check", file)
	if !strings.Contains(o.stdout, "  fail     missing-files:"+hash+": ") || !strings.Contains(o.stdout, "what to do: restore the contents") || !strings.Contains(o.stderr, "1 finding of level fail; a run would be refused") {
		t.Errorf("got\n%s\n%s", o.stdout, o.stderr)
	}
	r := reported(t, vault(t, 3, nil, "check", file, "--json").stdout[:])
	if r.Level != stage.LevelFail || r.Pipeline != "backup" || !slices.ContainsFunc(r.Findings, func(f struct {
		Action string
		stage.ActionFinding
	}) bool {
		return f.Action == "check-backup" && f.ID == "missing-files" && f.Where == hash
	}) {
		t.Errorf("got %+v", r)
	}
	if o := vault(t, 3, nil, "run", file); !strings.Contains(o.stderr, hash) || there(dir, "repo/repository.json") {
		t.Errorf("the run is not refused: %s", o.stderr)
	}
	vault(t, 0, nil, "check", file, "--accept-loss", "missing_file=1")
	vault(t, 0, nil, "run", file, "--accept-loss", "missing_file=1", "--quiet")
}

// The losses of a plan and its refusal are findings, with or without actions.
func TestCheckReportsLossesAndRefusals(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "data", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/hostname", filepath.Join(dir, "data", "x", "out")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "p.yaml")
	if err := os.WriteFile(file, []byte("version: 1\nsource: [{use: dataroot, with: {dir: data}}]\nsink: [{use: local, with: {dir: repo, create: true}}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	vault(t, 0, nil, "check", file)
	if err := os.WriteFile(filepath.Join(dir, "q.yaml"), []byte("version: 1\nsource: [{use: sqlite, with: {path: nowhere.sqlite}}]\nsink: [{use: local, with: {dir: repo, create: true}}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if o := vault(t, 3, nil, "check", filepath.Join(dir, "q.yaml")); !strings.Contains(o.stdout, "plan\n  fail     refused: ") || !strings.Contains(o.stdout, "nowhere.sqlite") {
		t.Errorf("got\n%s", o.stdout)
	}
}

// --exclude edits the pipeline file, shows the change and what will be missing.
func TestExcludeResolvesFinding(t *testing.T) {
	dir, file := checked(t, "# the end\n")
	hash := lacking(t, dir)
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ finding, want string }{
		{"nothing", "there is no finding nothing; "}, {"missing-files:" + hash, "leaving something out does not resolve missing-files:" + hash},
		{"site-size", "leaving something out does not resolve site-size; no finding can be resolved this way"},
	} {
		if o := vault(t, 2, nil, "check", file, "--exclude", c.finding); !strings.Contains(o.stderr, c.want) {
			t.Errorf("%s: %s", c.finding, o.stderr)
		}
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("the file is changed: %s (%v)", after, err)
	}

	// With the code, tables that no component defines are findings.
	code := filepath.Join(dir, "code")
	for name, text := range map[string]string{
		"config.php": "<?php $CFG = new stdClass(); $CFG->dbtype = 'sqlite'; $CFG->dataroot = '/x';", "version.php": "<?php $version = 2024100706.00; $release = '4.5.6'; $branch = '405';",
		"lib/db/install.xml":  `<XMLDB PATH="lib/db" VERSION="1"><TABLES><TABLE NAME="config"><FIELDS><FIELD NAME="id" TYPE="int" LENGTH="10" NOTNULL="true" SEQUENCE="true"/></FIELDS><KEYS><KEY NAME="primary" TYPE="primary" FIELDS="id"/></KEYS></TABLE></TABLES></XMLDB>`,
		"lib/components.json": `{"plugintypes": {"mod": "mod"}, "subsystems": {}}`,
	} {
		path := filepath.Join(code, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := strings.Replace(string(before), "dataroot: data}", "dataroot: data, dir: code}", 1)
	if err := os.WriteFile(file, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	o := vault(t, 0, nil, "check", file, "--exclude", "database-modifications:local_no_key")
	if !strings.Contains(o.stdout, "+  10  select:\n+  11    exclude_tables: [local_no_key]\n") || !strings.Contains(o.stdout, "backups will not contain the table local_no_key (about ") {
		t.Errorf("got\n%s\n%s", o.stdout, o.stderr)
	}
	after, err := os.ReadFile(file)
	if info, bad := os.Stat(file); err != nil || bad != nil || info.Mode().Perm() != 0o640 || string(after) != text+"select:\n  exclude_tables: [local_no_key]\n" {
		t.Errorf("the file is (%v, %v)\n%s", err, bad, after)
	}
	if r := reported(t, vault(t, 3, nil, "check", file, "--json").stdout); slices.ContainsFunc(r.Findings, func(f struct {
		Action string
		stage.ActionFinding
	}) bool {
		return f.Where == "local_no_key"
	}) {
		t.Error("the finding is still there")
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".vault-*")); err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %q (%v)", left, err)
	}
}

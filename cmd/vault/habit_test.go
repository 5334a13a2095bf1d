package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUnknownCommandSuggestsKnownOne(t *testing.T) {
	for typed, meant := range map[string]string{
		"backup":   "vault run FILE.yaml",
		"restore":  "pipelines/restore-local.yaml",
		"list":     "vault snapshots REPO",
		"snapshot": "did you mean vault snapshots?",
		"frobnify": `unknown command "frobnify"`,
	} {
		if o := vault(t, 2, nil, typed, "x"); !strings.Contains(o.stderr, meant) {
			t.Errorf("vault %s: %s", typed, o.stderr)
		}
	}
	if o := vault(t, 0, nil, "--version"); !strings.HasPrefix(o.stdout, "vault ") || strings.Count(o.stdout, "\n") != 1 {
		t.Errorf("--version prints %q", o.stdout)
	}
	if o := vault(t, 0, nil); !strings.Contains(o.stdout, "Available Commands") {
		t.Errorf("vault alone prints %q", o.stdout)
	}
}

func TestInvalidBooleanFlagIsExplained(t *testing.T) {
	if o := vault(t, 2, nil, "run", "x.yaml", "--dry-run=maybe"); !strings.Contains(o.stderr, `--dry-run takes true or false, not "maybe"`) || strings.Contains(o.stderr, "strconv") {
		t.Errorf("got %q", o.stderr)
	}
}

func TestInvalidNumberFlagIsExplained(t *testing.T) {
	if o := vault(t, 2, nil, "forget", "x", "--keep-last", "some"); !strings.Contains(o.stderr, `--keep-last takes a whole number, not "some"`) || strings.Contains(o.stderr, "strconv") {
		t.Errorf("got %q", o.stderr)
	}
}

func TestLintReportsSuccess(t *testing.T) {
	file := written(t, "p.yaml", small)
	if o := vault(t, 0, nil, "lint", file, "--set", "dir=/srv/x"); o.stdout != "1 file: no problems found\n" {
		t.Errorf("lint prints %q", o.stdout)
	}
}

func TestUnwritableTempDirSuggestsTMPDIR(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	o := vault(t, 3, []string{"TMPDIR=" + missing}, "run", written(t, "p.yaml", small), "--set", "dir="+t.TempDir())
	if want := "cannot write temporary files to " + missing + ": no such file or directory; set TMPDIR to a writable directory"; !strings.Contains(o.stderr, want) {
		t.Errorf("got %q, want %q", o.stderr, want)
	}
}

// A full disk truncates the log of a cron job but does not fail the backup.
func TestFullDiskForProgressDoesNotFailRun(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, full)
	var stdout strings.Builder
	cmd := call{args: []string{"run", written(t, "p.yaml", small), "--set", "dir=" + filepath.Join(t.TempDir(), "repo")}}.command(t)
	cmd.Stdout, cmd.Stderr = &stdout, full
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, stdout.String())
	}
	for _, want := range []string{": done in ", "\nsnapshot ", "note: progress: could not be written to standard error: "} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("no %q in\n%s", want, stdout.String())
		}
	}
}

func TestReplaceIsFlagOfRun(t *testing.T) {
	dir := t.TempDir()
	file := written(t, "p.yaml", "version: 1\nsource: [{use: sample, with: {files: false}}]\nsink: [{use: sqlite, with: {path: \"${dir}/site.sqlite\"}}]\n")
	args := []string{"run", file, "--set", "dir=" + dir}
	vault(t, 0, nil, args...)
	if o := vault(t, 3, nil, args...); !strings.Contains(o.stderr, "replace") {
		t.Errorf("got %q", o.stderr)
	}
	if o := vault(t, 0, nil, append(args, "--replace")...); !strings.Contains(o.stdout, "verified: sqlite: ") {
		t.Errorf("got %q", o.stdout)
	}
	// --replace applies to one run: a forgotten variable must not replace sites.
	vault(t, 3, []string{"LMSVAULT_REPLACE=true"}, args...)
	repository := written(t, "r.yaml", small)
	if o := vault(t, 2, nil, "run", repository, "--set", "dir="+dir, "--replace"); !strings.Contains(o.stderr, "no sink of this pipeline supports replace: omit --replace") {
		t.Errorf("repository: got %q", o.stderr)
	}
}

// The ID of a snapshot may follow the repository, as in other tools.
func TestSnapshotFollowsRepository(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	vault(t, 0, []string{"LMSVAULT_PASSPHRASE=only a demo"}, "demo", "--dir", dir)
	repo := dir + "/repository"
	env := []string{"LMSVAULT_PASSPHRASE=only a demo"}
	shown := vault(t, 0, env, "show", repo).stdout
	id := strings.Fields(shown)[1]
	for _, args := range [][]string{{"show", repo, id}, {"show", repo, id[:8]}, {"show", repo, "latest"}} {
		if o := vault(t, 0, env, args...); o.stdout != shown {
			t.Errorf("vault %q prints\n%s", args, o.stdout)
		}
	}
	all := vault(t, 0, env, "ls", repo, "db").stdout
	if o := vault(t, 0, env, "ls", repo, id, "db"); o.stdout != all || !strings.Contains(all, "db/config\n") {
		t.Errorf("ls prints\n%s", o.stdout)
	}
	if o := vault(t, 0, env, "cat", repo, id, "db/config"); o.stdout == "" {
		t.Error("cat printed nothing")
	}
	vault(t, 0, env, "verify", repo, id)
	if o := vault(t, 2, env, "show", repo, id, "--snapshot", id); !strings.Contains(o.stderr, "given twice") {
		t.Errorf("got %q", o.stderr)
	}
	if o := vault(t, 2, env, "show", repo, "db/config"); !strings.Contains(o.stderr, "takes no argument") {
		t.Errorf("got %q", o.stderr)
	}
}

// A mistake in a selection must not look like a check that found no damage.
func TestEmptySelectionIsError(t *testing.T) {
	repo := filepath.Join(t.TempDir(), "repo")
	file := written(t, "p.yaml", small)
	vault(t, 0, nil, "run", file, "--set", "dir="+repo)
	for _, args := range [][]string{
		{"verify", repo, "--pipeline", "typo"}, {"verify", repo, "--site", "typo"},
		{"show", repo, "--signer", ""}, {"verify", repo, "--signer", ""}, {"verify", repo, "--pipeline", ""},
	} {
		if o := vault(t, 2, nil, args...); strings.Contains(o.stdout, "no damage") {
			t.Errorf("vault %q prints %s", args, o.stdout)
		}
	}
	vault(t, 0, nil, "verify", repo, "--pipeline", "p")
}

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// logOf returns the only log below a directory.
func logOf(t *testing.T, dir string) (path string, log []stage.LogEntry) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(found) != 1 {
		t.Fatalf("the logs are %v, %v", found, err)
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var e stage.LogEntry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		log = append(log, e)
	}
	return found[0], log
}

// A backup has its log, and a restore leaves one whose last line repeats it.
func TestLogsOfBackupAndRestore(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	backup := write("backup.yaml", "version: 1\nbefore: [{use: command, name: greet, with: {argv: [echo, '${env:SECRET}']}}]\nsource: [{use: sample, with: {db_bytes: 32KiB, files: false}}]\nsink: [{use: local, with: {dir: repo, create: true}}]\n")
	restore := write("a restore.yaml", "version: 1\nsource: [{use: local, with: {dir: repo, snapshot: '${snapshot:-latest}'}}]\nsink: [{use: sqlite, with: {path: '${to}'}}]\n")
	repo := filepath.Join(dir, "repo")
	vault(t, 0, []string{"SECRET=S3CRET-CANARY"}, "run", backup)
	if there(dir, "vault-logs") {
		t.Error("a backup writes a log file")
	}
	var listed struct {
		Snapshot string
		Log      []stage.LogEntry
		Restore  []string
	}
	if err := json.Unmarshal([]byte(vault(t, 0, nil, "show", repo, "--log", "--json").stdout), &listed); err != nil {
		t.Fatal(err)
	}
	if len(listed.Log) < 5 || listed.Log[0].Event != stage.LogBegin || listed.Log[len(listed.Log)-1].Text != "finish" || len(listed.Restore) == 0 {
		t.Errorf("the log is %+v", listed)
	}
	shown := vault(t, 0, nil, "show", repo, "--log").stdout
	for _, want := range []string{"log of snapshot " + listed.Snapshot + " by backup on ", "  action: greet: ok\n", "  phase: finish (", `source: [{use: local, with: {dir: "` + repo + `", snapshot: "` + listed.Snapshot + `"}}]`} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %q in\n%s", want, shown)
		}
	}
	if byFile := vault(t, 0, []string{"SECRET=S3CRET-CANARY"}, "show", backup, "--log").stdout; !strings.Contains(byFile, "the storage of "+backup+" with the setting\n  snapshot: \""+listed.Snapshot+"\"") {
		t.Errorf("for a pipeline file:\n%s", byFile)
	}
	if all := shown + vault(t, 0, nil, "show", repo, "--json").stdout; strings.Contains(all, "CANARY") {
		t.Errorf("a secret is shown:\n%s", all)
	}

	copies := filepath.Join(dir, "copies")
	to := write("copies.yaml", "version: 1\nsource: [{use: sample}]\nsink: [{use: local, with: {dir: copies, create: true}}]\n")
	vault(t, 0, nil, "copy", repo, to, "latest")
	if copied := vault(t, 0, nil, "show", copies, "--log").stdout; !strings.Contains(copied, "action: greet: ok") || !strings.Contains(copied, `dir: "`+copies+`"`) {
		t.Errorf("the log of the copy is\n%s", copied)
	}

	first := filepath.Join(dir, "it's.sqlite")
	vault(t, 0, nil, "run", restore, "--dry-run", "--set", "to="+first)
	if there(dir, "vault-logs") {
		t.Error("a dry run writes a log file")
	}
	o := vault(t, 0, nil, "run", restore, "--set", "to="+first)
	path, log := logOf(t, filepath.Join(dir, "vault-logs"))
	if !strings.Contains(o.stdout, "log: "+path+"\n") {
		t.Errorf("the log is not shown:\n%s", o.stdout)
	}
	want := "vault run '" + restore + `' --set 'to=` + strings.ReplaceAll(first, "'", `'\''`) + "' --set snapshot=" + listed.Snapshot
	if end := log[len(log)-1]; end.Event != stage.LogEnd || end.Text != "success" || len(end.Next) != 1 || end.Next[0] != want {
		t.Errorf("the log ends with %+v\nwant %s", end, want)
	}
}

// A process that is killed leaves the log until then, with the state of the target and the
// command that puts it right.
func TestKilledRestoreLeavesLog(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "p.yaml")
	text := "version: 1\nlog_dir: logs/here\nsource: [{use: sample, with: {db_bytes: 1GiB, files: false}}]\nsink: [{use: sqlite, with: {path: site.sqlite}}]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := call{args: []string{"run", file}}.command(t)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	reading := false
	for range 2000 {
		found, err := filepath.Glob(filepath.Join(dir, "logs/here/*.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 1 {
			log, err := os.ReadFile(found[0])
			if reading = err == nil && strings.Contains(string(log), `"text":"read"`); reading {
				break
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || !reading {
		t.Fatalf("the run was not killed while it read: %v", err)
	}
	_, log := logOf(t, filepath.Join(dir, "logs/here"))
	last := stage.LogEntry{}
	for _, e := range log {
		if e.Event == stage.LogEnd {
			t.Error("the log of a killed run has an end")
		}
		if e.Event == stage.LogIfKilled {
			last = e
		}
	}
	if last.Target != "sqlite" || !strings.Contains(last.Text, "the target holds no usable site") || len(last.Next) != 1 || last.Next[0] != "vault run "+file+" --replace" {
		t.Errorf("the last state is %+v", last)
	}
	// The command is right: it completes the restore. A small one is enough to see that.
	small := strings.Replace(text, "1GiB", "32KiB", 1)
	if err := os.WriteFile(file, []byte(small), 0o600); err != nil {
		t.Fatal(err)
	}
	vault(t, 0, nil, strings.Fields(last.Next[0])[1:]...)
}

// The log would vanish with what is replaced.
func TestLogInsideTargetIsRefused(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "p.yaml")
	text := "version: 1\nlog_dir: data/logs\nsource: [{use: sample}]\nsink: [{use: dataroot, with: {dir: data}}]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"run", "lint"} {
		code := 2
		o := call{args: []string{command, file}}.run(t)
		if o.code != code || !strings.Contains(o.stderr+o.stdout, "the log of the run would be in "+filepath.Join(dir, "data/logs")+", inside of what dataroot writes") {
			t.Errorf("%s: code %d\n%s\n%s", command, o.code, o.stdout, o.stderr)
		}
	}
	if there(dir, "data") {
		t.Error("something was written")
	}
}

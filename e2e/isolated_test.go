package e2e

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/lmsvault/vault/internal/servers"
)

var both = []string{"LMSVAULT_ISOLATE=false", "LMSVAULT_ISOLATE=true"}

// result returns the result of a run with --json, without the values that differ
// between runs.
func result(t *testing.T, o output) map[string]any {
	t.Helper()
	var last struct {
		Event  string
		Result map[string]any
	}
	for line := range strings.Lines(o.stdout) {
		if err := json.Unmarshal([]byte(line), &last); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
	}
	if last.Result == nil {
		t.Fatalf("no result in\n%s\n%s", o.stdout, o.stderr)
	}
	delete(last.Result, "started")
	delete(last.Result, "finished")
	delete(last.Result, "run")
	delete(last.Result, "log")       // named by time and run
	delete(last.Result, "snapshots") // which one was restored
	stored, _ := last.Result["stored"].([]any)
	for _, s := range stored {
		summary, ok := s.(map[string]any)
		if !ok {
			t.Fatalf("the result for the repository is %v", s)
		}
		delete(summary, "where")
		delete(summary, "snapshot")
		stored, _ := summary["stored_bytes"].(float64) // random keys and names compress differently
		summary["stored_bytes"] = math.Round(stored / 20_000)
	}
	return last.Result
}

// A backup and its restore give the same result with stages in vault's process and with
// each stage in a process of its own.
func TestIsolatedStagesGiveTheSameResult(t *testing.T) {
	p := at(t)
	repo := filepath.Join(p.dir, "repo")
	var backups, restores []map[string]any
	for i, isolate := range both {
		env := append(slices.Clone(p.env), isolate, "TO="+filepath.Join(p.dir, fmt.Sprintf("new%d.sqlite", i)))
		if err := os.RemoveAll(repo); err != nil {
			t.Fatal(err)
		}
		backups = append(backups, result(t, must(t, env, "run", "--json", "--workers", "1", p.backupPipeline(t))))
		if err := os.RemoveAll(filepath.Join(p.dir, "new")); err != nil {
			t.Fatal(err)
		}
		restores = append(restores, result(t, must(t, env, "run", "--json", p.restorePipeline(t, `{use: sqlite, with: {path: "${env:TO}"}}`))))
	}
	for _, pair := range [][]map[string]any{backups, restores} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("in one process\n%v\nisolated\n%v", pair[0], pair[1])
		}
	}
	sameTree(t, tree(t, filepath.Join(p.dir, "data")), tree(t, filepath.Join(p.dir, "new")))
}

// Common errors have the same message and exit code with isolated stages.
func TestIsolatedStagesGiveTheSameErrors(t *testing.T) {
	p := at(t)
	must(t, p.env, "run", p.backupPipeline(t))
	maria := servers.MariaDB(t)
	to := fmt.Sprintf("\nsink: [{use: sqlite, with: {path: %s/x.sqlite}}]\n", p.dir)
	for name, c := range map[string]struct{ text, env string }{
		"wrong passphrase":   {"source: [{use: local, with: {dir: " + p.dir + "/repo, passphrase: \"${env:WORD}\"}}]" + to, "WORD=not this one"},
		"no passphrase":      {"source: [{use: local, with: {dir: " + p.dir + "/repo}}]" + to, ""},
		"no repository":      {"source: [{use: local, with: {dir: " + p.dir + "/nowhere}}]" + to, ""},
		"no such snapshot":   {"source: [{use: local, with: {dir: " + p.dir + "/repo, snapshot: ffff, passphrase: \"${env:PASS}\"}}]" + to, ""},
		"no such file":       {"source: [{use: sqlite, with: {path: /not/there}}]" + to, ""},
		"no such folder":     {"source: [{use: files, with: {dir: /not/there}}]\nsink: [{use: local, with: {dir: " + p.dir + "/y, create: true}}]\n", ""},
		"wrong password":     {"source: [{use: mysql, with: {dsn: \"${env:DSN}\"}}]" + to, "DSN=" + strings.Replace(maria.DSN, ":", ":wrong", 1)},
		"no tables":          {"source: [{use: mysql, with: {dsn: \"${env:DSN}\"}}]" + to, "DSN=" + maria.DSN},
		"no server":          {"source: [{use: postgres, with: {dsn: \"${env:DSN}\"}}]" + to, "DSN=postgres://u:topsecret@127.0.0.1:1/x"},
		"target is there":    {"source: [{use: sample, with: {files: false}}]\nsink: [{use: sqlite, with: {path: " + p.dir + "/site.sqlite}}]\n", ""},
		"secret of no shape": {"source: [{use: sample}]\ntransform: [{use: encrypt, with: {recipients: [\"${env:WORD}\"]}}]\nsink: [{use: local, with: {dir: " + p.dir + "/y, create: true}}]\n", "WORD=topsecret"},
	} {
		t.Run(name, func(t *testing.T) {
			file := pipelineFile(t, "version: 1\n"+c.text)
			var said []output
			for _, isolate := range both {
				o := vault(t, append(slices.Clone(p.env), isolate, c.env), "run", file)
				if o.code == 0 || strings.Contains(o.stderr, "goroutine ") || strings.Contains(o.stdout+o.stderr, "topsecret") {
					t.Errorf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
				}
				said = append(said, o)
			}
			if said[0].code != said[1].code || said[0].stderr != said[1].stderr {
				t.Errorf("in one process: exit %d\n%sisolated: exit %d\n%s", said[0].code, said[0].stderr, said[1].code, said[1].stderr)
			}
		})
	}
}

// busy is a pipeline that runs for a while.
func busy(t testing.TB, sink string) string {
	return pipelineFile(t, "version: 1\nname: busy\nsource: [{use: sample, with: {files: false, db_bytes: 60MiB}}]\n"+sink)
}

// A killed storage process is restarted, and nothing is lost.
func TestKilledStorageIsRestarted(t *testing.T) {
	repo := filepath.Join(t.TempDir(), "repo")
	o := disturbed(t, nil, busy(t, "transform: [{use: compress}]\nsink: [{use: local, with: {dir: "+repo+", create: true}}]\n"), func(_ *exec.Cmd, all []child) {
		one(t, all, "local").kill(t)
		one(t, all, "compress").kill(t)
	})
	if o.code != 0 {
		t.Fatalf("exit %d\n%s\n%s", o.code, o.stdout, o.stderr)
	}
	for _, stage := range []string{"local", "compress"} {
		if !strings.Contains(o.stdout, "plugin "+stage+" was restarted once") {
			t.Errorf("no note mentions %s in\n%s", stage, o.stdout)
		}
	}
	must(t, nil, "verify", repo)
	if list := must(t, nil, "snapshots", repo, "--json"); strings.Count(list.stdout, `"busy"`) != 1 {
		t.Errorf("the snapshots are %s", list.stdout)
	}
}

// A killed source process fails the run, and the target is not complete.
func TestKilledSourceFailsTheRun(t *testing.T) {
	dir := t.TempDir()
	sinks := fmt.Sprintf("sink: [{use: local, with: {dir: %s/repo, create: true}}, {use: sqlite, with: {path: %s/site.sqlite}}]\n", dir, dir)
	o := disturbed(t, nil, busy(t, sinks), func(_ *exec.Cmd, all []child) { one(t, all, "sample").kill(t) })
	if o.code != 1 || !strings.Contains(o.stderr, "sample") || !strings.Contains(o.stderr, "killed") {
		t.Errorf("exit %d\n%s", o.code, o.stderr)
	}
	if list := must(t, nil, "snapshots", dir+"/repo", "--json"); strings.Contains(list.stdout, "busy") {
		t.Errorf("want no snapshot, got %s", list.stdout)
	}
	if _, err := os.Stat(dir + "/site.sqlite"); !os.IsNotExist(err) {
		t.Errorf("the target looks whole: %v", err)
	}
}

// A killed sink process also fails the run.
func TestKilledSinkFailsTheRun(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			target := e.make(t)
			text := fmt.Sprintf("sink: ["+target.stage+"]\n", "TO")
			o := disturbed(t, []string{"TO=" + target.env}, busy(t, text), func(_ *exec.Cmd, all []child) {
				for _, c := range all {
					if c.stage != "sample" && c.stage != "typemap" {
						c.kill(t)
					}
				}
			})
			if o.code != 1 || !strings.Contains(o.stderr, "killed") {
				t.Errorf("exit %d\n%s", o.code, o.stderr)
			}
			// The target is not complete: a source refuses it, or it has no table.
			file := pipelineFile(t, fmt.Sprintf("version: 1\nsource: ["+target.stage+"]\nsink: [{use: local, with: {dir: %s, create: true}}]\n", "TO", t.TempDir()+"/r"))
			if again := vault(t, []string{"TO=" + target.env}, "run", file); again.code != 3 {
				t.Errorf("the target counts as complete: exit %d\n%s\n%s", again.code, again.stdout, again.stderr)
			}
		})
	}
}

// A process that hangs is killed after the setting stall: a run with a hanging source
// fails, a hanging storage is restarted.
func TestHangingProcessIsKilled(t *testing.T) {
	for hung, code := range map[string]int{"sample": 1, "local": 0} {
		repo := filepath.Join(t.TempDir(), "repo")
		file := pipelineFile(t, "version: 1\nname: busy\nsource: [{use: sample, isolate: true, stall: 2s, with: {files: false, db_bytes: 60MiB}}]\n"+
			"sink: [{use: local, isolate: true, stall: 2s, with: {dir: "+repo+", create: true}}]\n")
		o := disturbed(t, nil, file, func(_ *exec.Cmd, all []child) {
			if err := syscall.Kill(one(t, all, hung).pid, syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
		})
		if said := o.stdout + o.stderr; o.code != code || !strings.Contains(said, "plugin "+hung) || !strings.Contains(said, "no progress for 2s") {
			t.Errorf("%s hangs: exit %d\n%s\n%s", hung, o.code, o.stdout, o.stderr)
		}
		if code == 0 {
			must(t, nil, "verify", repo)
		}
	}
}

// After kill -9 of vault itself, no process remains.
func TestKilledVaultLeavesNoProcess(t *testing.T) {
	var all []child
	disturbed(t, nil, busy(t, "transform: [{use: compress}]\nsink: [{use: local, with: {dir: "+t.TempDir()+"/repo, create: true}}]\n"), func(vault *exec.Cmd, now []child) {
		all = now
		if err := vault.Process.Kill(); err != nil {
			t.Fatal(err)
		}
	})
	if len(all) < 3 {
		t.Fatalf("found only %v", all)
	}
	for _, c := range all {
		c.ended(t)
	}
}

// After one Ctrl-C, targets are marked, the exit code is 130, and no process or
// temporary file remains.
func TestInterruptedIsolatedRunCleansUp(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(dir+"/tmp", 0o700); err != nil {
		t.Fatal(err)
	}
	sinks := fmt.Sprintf("transform: [{use: compress}]\nsink: [{use: local, with: {dir: %s/repo, create: true}}, {use: sqlite, with: {path: %s/site.sqlite}}]\n", dir, dir)
	var all []child
	o := disturbed(t, []string{"TMPDIR=" + dir + "/tmp"}, busy(t, sinks), func(vault *exec.Cmd, now []child) {
		all = now
		if err := vault.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
	})
	if o.code != 130 || !strings.Contains(o.stdout, `"class":130`) {
		t.Errorf("exit %d\n%s\n%s", o.code, o.stdout, o.stderr)
	}
	for _, c := range all {
		c.ended(t)
	}
	if left, err := os.ReadDir(dir + "/tmp"); err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v, %v", left, err)
	}
	if left, err := filepath.Glob(dir + "/repo/locks/*"); err != nil || len(left) > 0 {
		t.Errorf("locks are left: %v, %v", left, err)
	}
	if _, err := os.Stat(dir + "/site.sqlite"); !os.IsNotExist(err) {
		t.Errorf("the target looks whole: %v", err)
	}
	must(t, nil, "verify", dir+"/repo")
}

// A process gets its own settings over its connection; neither the environment nor
// the arguments of another process contain them.
func TestSecretsDoNotReachOtherProcesses(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(dir+"/tmp", 0o700); err != nil {
		t.Fatal(err)
	}
	pipeline := busy(t, "transform: [{use: compress}, {use: encrypt, with: {passphrase: \"${env:WORD}\"}}]\nsink: [{use: local, with: {dir: "+dir+"/repo, create: true}}]\n")
	env := []string{"WORD=correct horse battery", "SITE_DSN=u:topsecret@x", "AWS_SECRET_ACCESS_KEY=topsecret", "TMPDIR=" + dir + "/tmp"}
	o := disturbed(t, env, pipeline, func(vault *exec.Cmd, all []child) {
		for _, c := range all {
			for _, file := range []string{"environ", "cmdline"} {
				text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", c.pid, file))
				if err != nil || strings.Contains(string(text), "topsecret") || strings.Contains(string(text), "correct horse") || strings.Contains(string(text), "LMSVAULT") {
					t.Errorf("%s of %s holds %q, %v", file, c.stage, text, err)
				}
			}
		}
		if len(all) < 5 {
			t.Errorf("found only %v", all)
		}
	})
	if o.code != 0 {
		t.Fatalf("exit %d\n%s", o.code, o.stderr)
	}
	if left, err := os.ReadDir(dir + "/tmp"); err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v, %v", left, err)
	}
}

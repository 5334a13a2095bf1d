package main

import (
	"bufio"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/internal/machine"
)

// faulty builds the plugin of testdata/faulty, once.
func faulty(t testing.TB) string {
	t.Helper()
	file := filepath.Join(filepath.Dir(program), "faulty")
	if _, err := os.Stat(file); err == nil {
		return file
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", file, "./testdata/faulty")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the plugin: %v\n%s", err, out)
	}
	return file
}

// stored returns the paths of the files below a directory.
func stored(t testing.TB, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err == nil && !d.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A storage in Go passes all checks with the settings of a pipeline's step, and the checks
// remove their objects.
func TestGoodPluginPasses(t *testing.T) {
	dir, file := t.TempDir(), release(t, "1.0.0")
	t.Parallel()
	objects := filepath.Join(dir, "objects")
	try := filepath.Join(dir, "try.yaml")
	text := "version: 1\nsource: [{use: sample}]\nsink: [{use: " + file + ", with: {dir: \"${where}\"}}]\n"
	if err := os.WriteFile(try, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o := vault(t, 0, nil, "plugin", "test", file, "--config", try, "--set", "where="+objects)
	says(t, o.stdout, "plugin mystore 1.0.0, storage mystore\n", "ok       process/broken-stream", "ok       storage/range", "ok       crash/put", " ok, 0 failed, ")
	left := slices.DeleteFunc(stored(t, objects), func(path string) bool { // of the last killed Put; the next Put removes it
		return filepath.Dir(path) == filepath.Join(objects, "tmp")
	})
	if len(left) > 0 {
		t.Errorf("%q are left", left)
	}
}

// A plugin in another language passes too. For an installed plugin, the pinned file runs.
func TestPythonPluginPasses(t *testing.T) {
	t.Parallel()
	python := machine.Python(t)
	source, dir := t.TempDir(), t.TempDir()
	for from, to := range map[string]string{"vault_plugin.py": "vault_plugin.py", "plugin_pb2.py": "plugin_pb2.py", "storage_dir.py": "__main__.py"} {
		text, err := os.ReadFile(filepath.Join("../../plugins/examples/python", from))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(source, to), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "directory")
	if out, err := exec.CommandContext(t.Context(), python, "-m", "zipapp", source, "-p", "/usr/bin/env "+python, "-o", file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	settings := written(t, "settings.yaml", "dir: "+filepath.Join(dir, "objects")+"\n")
	vault(t, 0, nil, "plugin", "install", file, "--pipelines", dir)
	o := vault(t, 0, nil, "plugin", "test", "directory", "--config", settings, "--pipelines", dir, "--run", "process/,storage/range,storage/delete,crash")
	says(t, o.stdout, "ok       process/broken-stream", "ok       storage/range", "ok       crash/put", " ok, 0 failed, ")
}

// A faulty plugin fails the check of its fault, which prints what was found and why it
// matters.
func TestFaultyPluginFailsMatchingCheck(t *testing.T) {
	file := faulty(t)
	t.Parallel()
	for fault, want := range map[string]struct{ run, failed, found string }{
		"torn":  {"storage/put-get,crash/put", "crash/put", "leaves a partial object"},
		"range": {"storage/put-get,storage/range", "storage/range", "or wrong content"},
	} {
		t.Run(fault, func(t *testing.T) {
			settings := written(t, "settings.yaml", "dir: "+t.TempDir()+"\nfault: "+fault+"\n")
			o := vault(t, 1, nil, "plugin", "test", file, "--stage", "faulty", "--config", settings, "--run", want.run)
			says(t, o.stdout, "ok       storage/put-get", "FAILED   "+want.failed, want.found, "why: ", "2 checks: 1 ok, 1 failed, 0 skipped")
			says(t, o.stderr, "1 of 2 checks failed")
		})
	}
}

func TestEachCheckIsEventWithJSON(t *testing.T) {
	file := faulty(t)
	t.Parallel()
	settings := written(t, "settings.yaml", "dir: "+t.TempDir()+"\nfault: range\n")
	o := vault(t, 1, nil, "plugin", "test", file, "--stage", "faulty", "--config", settings, "--run", "storage/ran,storage/free", "--json")
	var got []string
	for line := range strings.Lines(o.stdout) {
		var e struct {
			Event, ID, Outcome, Reason, Why, Text string
			Failures                              []string
			Failed, Checks, Class                 int
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		got = append(got, strings.TrimSpace(e.Event+" "+e.ID+" "+e.Outcome))
		switch {
		case e.Outcome == "failed" && (len(e.Failures) == 0 || e.Why == ""), e.Outcome == "skipped" && e.Reason == "",
			e.Event == "summary" && (e.Failed != 1 || e.Checks != 2), e.Event == "error" && (e.Class != 1 || e.Text != "1 of 2 checks failed"):
			t.Errorf("an event is %s", line)
		}
	}
	if want := "check storage/range failed|check storage/free skipped|summary|error"; strings.Join(got, "|") != want {
		t.Errorf("the events are %q, want %s", got, want)
	}
}

func TestPluginTestUsageErrors(t *testing.T) {
	file, dir := release(t, "1.0.0"), t.TempDir()
	otherPipeline := written(t, "other.yaml", "version: 1\nsource: [{use: sample}]\nsink: [{use: local, with: {dir: "+dir+"}}]\n")
	typo := written(t, "typo.yaml", "dri: /x\n")
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"no settings":     {[]string{file}, []string{"can't be tested without settings: dir", "--config try.yaml", "\n  dir: /srv/backups  # the directory that holds the repository"}},
		"a typing error":  {[]string{file, "--config", typo}, []string{"typo.yaml:1:1: error: unknown key \"dri\": did you mean \"dir\"?", "dir is missing"}},
		"no such step":    {[]string{file, "--config", otherPipeline}, []string{"no step of " + otherPipeline + " uses storage mystore"}},
		"no such check":   {[]string{file, "--run", "nothing/", "--list"}, []string{"no check begins with nothing/; --list shows them"}},
		"no such stage":   {[]string{file, "--stage", "other"}, []string{"has no stage other; it has mystore"}},
		"no such file":    {[]string{"./nothing"}, []string{"file ./nothing does not exist"}},
		"no such plugin":  {[]string{"nothing", "--pipelines", dir}, []string{`plugin "nothing" is not installed`}},
		"no such config":  {[]string{file, "--config", filepath.Join(dir, "none.yaml")}, []string{"none.yaml can't be read"}},
		"not YAML at all": {[]string{file, "--config", written(t, "bad.yaml", "dir: [\n")}, []string{"bad.yaml:1:1: error: invalid YAML"}},
	} {
		t.Run(name, func(t *testing.T) {
			says(t, vault(t, 2, nil, append([]string{"plugin", "test"}, c.args...)...).stderr, c.want...)
		})
	}
}

func TestPluginTestListsChecksWithReasons(t *testing.T) {
	o := vault(t, 0, nil, "plugin", "test", release(t, "1.0.0"), "--list", "--run", "storage/list,process/")
	says(t, o.stdout, "storage/list-many", "process/host-killed", "An orphaned process would keep writing")
	if strings.Contains(o.stdout, "storage/range") {
		t.Errorf("unselected checks are listed:\n%s", o.stdout)
	}
}

// A sink that would replace existing data is tested only after confirmation.
func TestReplacingSinkNeedsYes(t *testing.T) {
	file := faulty(t)
	target := written(t, "target.txt", "of value")
	settings := written(t, "settings.yaml", "file: "+target+"\nreplace: true\n")
	args := []string{"plugin", "test", file, "--stage", "replacing", "--config", settings, "--run", "stage/"}
	says(t, vault(t, 2, nil, args...).stderr, "sink replacing would replace the contents of its target, because of the setting replace", "--yes")
	if text, err := os.ReadFile(target); err != nil || string(text) != "of value" {
		t.Errorf("the target holds %q (%v)", text, err)
	}
	o := vault(t, 0, nil, append(args, "--yes")...)
	says(t, o.stdout, "ok       stage/described", "1 check: 1 ok")
	says(t, o.stderr, "write tables and files to the target of sink replacing and leave them there")
}

// Ctrl-C ends the running check and leaves neither objects nor processes.
func TestPluginTestCanBeInterrupted(t *testing.T) {
	objects := filepath.Join(t.TempDir(), "objects")
	settings := written(t, "settings.yaml", "dir: "+objects+"\n")
	cmd := call{args: []string{"plugin", "test", release(t, "1.0.0"), "--config", settings, "--run", "storage/put-get,storage/list-many"}}.command(t)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := ""
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		said += lines.Text() + "\n"
		if strings.Contains(lines.Text(), "storage/put-get") {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 130 {
		t.Errorf("exit code %d (%v)", cmd.ProcessState.ExitCode(), err)
	}
	says(t, said, "1 check: 1 ok, 0 failed")
	says(t, stderr.String(), "interrupted after 1 of 2 checks")
	if left := stored(t, objects); len(left) > 0 {
		t.Errorf("%d objects are left", len(left))
	}
}

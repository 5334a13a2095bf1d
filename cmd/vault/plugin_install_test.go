package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/lmsvault/vault/cmd/vault/plugincmd"
)

// release builds the plugin of testdata/release with a version, once per version.
func release(t testing.TB, version string) string {
	t.Helper()
	file := filepath.Join(filepath.Dir(program), "release-"+version)
	if _, err := os.Stat(file); err == nil {
		return file
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-X main.version="+version, "-o", file, "./testdata/release")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the plugin: %v\n%s", err, out)
	}
	return file
}

func says(t testing.TB, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("no %q in\n%s", w, text)
		}
	}
}

// copied returns a copy of a directory of pipelines with its installed plugins.
func copied(t testing.TB, from string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestPluginLifecycle installs, lists, verifies, uses and removes a plugin.
func TestPluginLifecycle(t *testing.T) {
	dir, file := t.TempDir(), release(t, "1.0.0")
	at := func(code int, args ...string) outcome {
		t.Helper()
		return vault(t, code, nil, append(append([]string{"plugin"}, args...), "--pipelines", dir)...)
	}
	says(t, at(0, "list").stdout, "no plugin is installed")
	says(t, at(0, "verify").stdout, "no plugin is installed")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	digest := hex.EncodeToString(sum[:])
	says(t, at(3, "install", file, "--sha256", strings.Repeat("0", 64)).stderr, digest, strings.Repeat("0", 64), "was neither run nor installed")
	says(t, at(0, "install", file, "--sha256", digest).stdout, "installed mystore 1.0.0\n", "stages: storage mystore\n", digest, "use: mystore")
	says(t, at(0, "list").stdout, "mystore  1.0.0    storage mystore  ok")
	says(t, at(0, "verify").stdout, "mystore 1.0.0: ok")
	says(t, at(0, "info", "mystore").stdout, "SHA-256       "+digest, "file          vault-plugins/mystore-1.0.0-", "Keeps a repository in a directory, for tests.", "\n  dir (text, required)\n")

	says(t, at(0, "install", release(t, "1.1.0")).stdout, "installed mystore 1.1.0 (replaces 1.0.0)\n")
	says(t, at(3, "install", file).stderr, "the newer 1.1.0 is installed", "--replace")
	says(t, at(0, "install", file, "--replace").stdout, "installed mystore 1.0.0 (replaces 1.1.0)\n")

	nightly := filepath.Join(dir, "nightly.yaml")
	if err := os.WriteFile(nightly, []byte(strings.Replace(small, "local", "mystore", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	repo := t.TempDir()
	vault(t, 0, nil, "run", nightly, "--set", "dir="+repo)
	says(t, vault(t, 0, nil, "snapshots", repo).stdout, "nightly")

	o := at(0, "remove", "mystore")
	says(t, o.stdout, "removed mystore 1.0.0\n")
	says(t, o.stderr, "warning: storage mystore of mystore is used by nightly.yaml")
	says(t, at(2, "info", "mystore").stderr, `plugin "mystore" is not installed in `+dir)
	if left, err := os.ReadDir(filepath.Join(dir, "vault-plugins")); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}

func TestChangedPluginIsNeverRun(t *testing.T) {
	dir := t.TempDir()
	vault(t, 0, nil, "plugin", "install", release(t, "1.0.0"), "--pipelines", dir)
	list := listOf(t, dir)
	trace := filepath.Join(t.TempDir(), "trace")
	file := filepath.Join(dir, list.Plugins[0].Path)
	stray := filepath.Join(dir, "vault-plugins", "stray")
	for _, path := range []string{file, stray} {
		if err := os.Remove(path); err != nil && path == file {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\ntouch "+trace+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	why := []string{file + " is not the pinned file", list.Plugins[0].SHA256, "--replace"}
	o := vault(t, 0, nil, "plugin", "list", "--pipelines", dir)
	says(t, o.stdout, append(why, "vault-plugins/stray", "not pinned, ignored")...)
	o = vault(t, 3, nil, "plugin", "verify", "mystore", "--pipelines", dir)
	says(t, o.stdout, why...)
	says(t, o.stderr, "1 of 1 plugin refused")
	o = vault(t, 3, nil, "plugin", "info", "mystore", "--pipelines", dir)
	says(t, o.stdout, "mystore 1.0.0")
	says(t, o.stderr, append(why, "plugin mystore is installed but refused: ")...)

	nightly := filepath.Join(dir, "nightly.yaml")
	if err := os.WriteFile(nightly, []byte(strings.Replace(small, "local", "mystore", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"lint", "plan", "run"} {
		o := call{args: []string{command, nightly, "--set", "dir=" + t.TempDir()}}.run(t)
		if o.code == 0 || strings.Contains(o.stdout+o.stderr, "not found") {
			t.Errorf("%s: exit code %d\n%s%s", command, o.code, o.stdout, o.stderr)
		}
		says(t, o.stdout+o.stderr, why...)
	}
	says(t, vault(t, 2, nil, "plugin", "info", "stray", "--pipelines", dir).stderr, "vault-plugins/stray exists but is not pinned in vault.lock.yaml, so it is never run")
	got := listOf(t, dir)
	if got.Plugins[0].State != "refused" || !strings.Contains(got.Plugins[0].Reason, "is not the pinned file") || len(got.Ignored) != 1 || got.Ignored[0] != "vault-plugins/stray" {
		t.Errorf("as JSON: %+v", got)
	}
	if _, err := os.Stat(trace); err == nil {
		t.Error("a changed file was run")
	}
	vault(t, 0, nil, "plugin", "remove", "mystore", "--pipelines", dir)
}

// Each use of a plugin checks the name, version and stages in the lock file, not only the
// SHA-256.
func TestPluginThatContradictsLockFileIsRefused(t *testing.T) {
	original := t.TempDir()
	vault(t, 0, nil, "plugin", "install", release(t, "1.0.0"), "--pipelines", original)
	for from, c := range map[string]struct{ to, use, says string }{
		"name: mystore":     {"name: other", "mystore", "it describes itself as mystore 1.0.0 with storage mystore"},
		"version: 1.0.0":    {"version: 2.0.0", "mystore", "pins it as mystore 2.0.0 with storage mystore"},
		"- storage mystore": {"- sink mystore", "mystore", "pins it as mystore 1.0.0 with sink mystore"},
		"storage mystore":   {"storage local", "", "its storage local has the same name as the built-in storage local"},
	} {
		t.Run(c.to, func(t *testing.T) {
			dir := copied(t, original)
			edited(t, filepath.Join(dir, "vault.lock.yaml"), from, c.to)
			name := listOf(t, dir).Plugins[0].Name
			says(t, vault(t, 3, nil, "plugin", "info", name, "--pipelines", dir).stderr, c.says)
			says(t, vault(t, 0, nil, "stages", "--pipelines", dir).stderr, "warning: ", c.says)
			says(t, vault(t, 3, nil, "plugin", "test", name, "--list", "--pipelines", dir).stderr, c.says)
			if c.use == "" { // also reported without running it
				says(t, vault(t, 3, nil, "plugin", "verify", "--pipelines", dir).stdout, c.says)
				return
			}
			file := filepath.Join(dir, "p.yaml")
			if err := os.WriteFile(file, []byte(strings.Replace(small, "local", c.use, 1)), 0o644); err != nil {
				t.Fatal(err)
			}
			repo := filepath.Join(t.TempDir(), "repo")
			says(t, vault(t, 2, nil, "lint", file, "--set", "dir="+repo).stdout, c.says)
			says(t, vault(t, 3, nil, "run", file, "--set", "dir="+repo).stderr, c.says)
			if _, err := os.Stat(repo); err == nil {
				t.Error("the plugin was used")
			}
		})
	}
}

// edited replaces a string in a file, which must contain it.
func edited(t testing.TB, file, from, to string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), from) {
		t.Fatalf("%v: no %q in\n%s", err, from, text)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), from, to, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

type pluginList struct {
	Plugins []plugincmd.PluginLine
	Ignored []string
}

func listOf(t testing.TB, dir string) (list pluginList) {
	t.Helper()
	o := vault(t, 0, nil, "plugin", "list", "--json", "--pipelines", dir)
	if err := json.Unmarshal([]byte(o.stdout), &list); err != nil {
		t.Fatalf("%v: %s", err, o.stdout)
	}
	return list
}

func TestPluginCommandsPrintOneDocumentWithJSON(t *testing.T) {
	dir, file := t.TempDir(), release(t, "1.0.0")
	for _, c := range []struct {
		args []string
		want string // in the document
	}{
		{[]string{"list"}, `"plugins": []`},
		{[]string{"install", file}, `"state": "ok"`},
		{[]string{"install", file}, `"same": true`},
		{[]string{"list"}, `"name": "mystore"`},
		{[]string{"verify"}, `"protocol": 1`},
		{[]string{"info", "mystore"}, `"required": true`},
		{[]string{"remove", "mystore"}, `"users": []`},
	} {
		o := vault(t, 0, nil, append(append([]string{"plugin"}, c.args...), "--json", "--pipelines", dir)...)
		if !json.Valid([]byte(o.stdout)) {
			t.Errorf("%s prints\n%s", c.args, o.stdout)
		}
		says(t, o.stdout, c.want)
	}
	lock := filepath.Join(dir, "vault.lock.yaml")
	if err := os.WriteFile(lock, []byte("version: 1\nplugins: [{nme: x}]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	o := vault(t, 3, nil, "plugin", "list", "--pipelines", dir)
	says(t, o.stderr, lock+" is damaged, so none of its plugins can be used", `vault.lock.yaml:2:12: error: unknown key "nme": did you mean "name"?`)
}

func TestConcurrentInstallsLoseNoEntry(t *testing.T) {
	dir, file := t.TempDir(), release(t, "1.0.0")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if o := (call{args: []string{"plugin", "install", file, "--pipelines", dir}}).run(t); o.code != 0 {
				t.Errorf("exit code %d: %s", o.code, o.stderr)
			}
		})
	}
	all.Wait()
	if list := listOf(t, dir); len(list.Plugins) != 1 || list.Plugins[0].State != "ok" || len(list.Ignored) != 0 {
		t.Errorf("%+v", list)
	}
	says(t, vault(t, 0, nil, "plugin", "verify", "--pipelines", copied(t, dir)).stdout, "mystore 1.0.0: ok")
}

func TestPluginCommandErrors(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		say  string
		args []string
	}{
		{"vault plugin install needs FILE", []string{"install"}},
		{"no such file or directory", []string{"install", "nothing"}},
		{"is a directory; name the executable file in it", []string{"install", "."}},
		{"vault plugin info needs NAME", []string{"info"}},
		{`plugin "x" is not installed in ` + dir, []string{"verify", "x"}},
		{`plugin "x" is not installed in ` + dir, []string{"remove", "x"}},
		{"is not a SHA-256", []string{"install", "main.go", "--sha256", "x"}},
	} {
		o := vault(t, 2, nil, append(append([]string{"plugin"}, c.args...), "--pipelines", dir)...)
		says(t, o.stderr, c.say)
	}
	says(t, vault(t, 2, nil, "plugin", "list", "--pipelines", filepath.Join(dir, "nowhere")).stderr, "reading the pipeline directory", "no such file")
}

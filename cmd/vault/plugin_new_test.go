package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/internal/machine"
)

// made runs a project's Makefile with the built vault.
func made(t *testing.T, dir string, targets ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "make", append(targets, "VAULT="+program)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "GOCACHE="+goenv(t, "GOCACHE"), "GOMODCACHE="+goenv(t, "GOMODCACHE"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("make %s: %v\n%s", strings.Join(targets, " "), err, out)
	}
	return string(out)
}

func goenv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// As documented in docs/plugins.md, a new project can run its pipeline, be installed and
// be used by name.
func TestNewProjectRunsAndInstalls(t *testing.T) {
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for lang, args := range map[string][]string{"go": {"--sdk", checkout}, "python": {"--lang", "python"}} {
		t.Run(lang, func(t *testing.T) {
			if lang == "python" {
				machine.Python(t)
			}
			dir := filepath.Join(t.TempDir(), "project")
			o := vault(t, 0, nil, append([]string{"plugin", "new", "storage", "mystore", "--dir", dir}, args...)...)
			if !strings.Contains(o.stdout, "vault plugin install ./mystore") {
				t.Errorf("no next step in\n%s", o.stdout)
			}
			if out := made(t, dir, "try"); !strings.Contains(out, "runs unpinned from its path") || !strings.Contains(out, "snapshot ") {
				t.Errorf("make try says:\n%s", out)
			}
			check := call{args: []string{"plugin", "test", "./mystore", "--config", "try.yaml", "--run", "process/"}}.command(t)
			check.Dir = dir // try.yaml writes there
			if out, err := check.CombinedOutput(); err != nil {
				t.Errorf("%v:\n%s", err, out)
			}
			if lang == "python" {
				sameBytes(t, dir)
			}
			vault(t, 0, nil, "plugin", "install", filepath.Join(dir, "mystore"), "--pipelines", dir)
			text, err := os.ReadFile(filepath.Join(dir, "try.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			installed := strings.NewReplacer("use: ./mystore", "use: mystore", "dir: try-objects", "dir: "+filepath.Join(dir, "try-objects")).Replace(string(text))
			pipeline := filepath.Join(dir, "use.yaml")
			if err := os.WriteFile(pipeline, []byte(installed), 0o600); err != nil {
				t.Fatal(err)
			}
			vault(t, 0, nil, "lint", pipeline)
			vault(t, 0, nil, "run", pipeline)
			if o := vault(t, 0, nil, "verify", pipeline); !strings.Contains(o.stdout, "no damage found") {
				t.Errorf("verify: %s", o.stdout)
			}
		})
	}
}

// sameBytes builds the program again and compares it: plugins are pinned by SHA-256, so
// builds must be reproducible.
func sameBytes(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, "mystore")
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	made(t, dir, "mystore")
	if second, err := os.ReadFile(path); err != nil || !bytes.Equal(first, second) {
		t.Errorf("the second build differs (%v)", err)
	}
}

// Without a vault in PATH, make uses the one that created the project.
func TestNewProjectFindsVault(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "project")
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	vault(t, 0, nil, "plugin", "new", "storage", "mystore", "--dir", dir, "--sdk", checkout)
	make := exec.CommandContext(t.Context(), "make", "-n", "try")
	make.Dir, make.Env = dir, []string{"PATH=/usr/bin:/bin"}
	if out, err := make.CombinedOutput(); err != nil || !strings.Contains(string(out), program+" run try.yaml") {
		t.Errorf("make try runs\n%s (%v)", out, err)
	}
}

func TestPluginNewErrors(t *testing.T) {
	there := t.TempDir()
	for want, args := range map[string][]string{
		"use storage, source, sink or transform":     {"table", "x"},
		"needs NAME":                                 {"storage"},
		"the built-in storage local":                 {"sink", "local"},
		"a target of make":                           {"storage", "test"},
		"must consist of at most 40 characters a-z":  {"storage", "My.Store"},
		"already exists, nothing was changed":        {"storage", "mystore", "--dir", there},
		"--kind applies only to transforms":          {"storage", "mystore", "--kind", "rows"},
		"the Python template supports only storages": {"sink", "x", "--lang", "python"},
		"must be a checkout of Vault's source code":  {"sink", "x", "--dir", filepath.Join(there, "x"), "--sdk", there},
	} {
		code := 2
		if want == "already exists, nothing was changed" {
			code = 3
		}
		if o := vault(t, code, nil, append([]string{"plugin", "new"}, args...)...); !strings.Contains(o.stderr, want) {
			t.Errorf("vault plugin new %q prints %q, want %q", args, o.stderr, want)
		}
	}
}

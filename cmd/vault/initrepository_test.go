package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A run does not create a repository unless asked to, and leaves nothing behind.
func TestRunRefusesWithoutRepository(t *testing.T) {
	file := written(t, "p.yaml", strings.Replace(small, ", create: true", "", 1))
	missing, empty := filepath.Join(t.TempDir(), "unmounted", "r"), t.TempDir()
	for _, dir := range []string{missing, empty} {
		for _, args := range [][]string{{"plan"}, {"run", "--dry-run"}, {"run"}, {"run", "--isolate"}} {
			o := vault(t, 3, nil, append(args, file, "--set", "dir="+dir)...)
			for _, want := range []string{"local: " + dir + ": there is no repository here", "check that the disk is mounted", "vault init-repository " + file, "create: true"} {
				if !strings.Contains(o.stderr, want) {
					t.Errorf("vault %s does not mention %q:\n%s", strings.Join(args, " "), want, o.stderr)
				}
			}
		}
	}
	if _, err := os.Stat(filepath.Dir(missing)); !os.IsNotExist(err) {
		t.Errorf("the directory was created: %v", err)
	}
	if left, err := os.ReadDir(empty); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestCreateReportsNewRepository(t *testing.T) {
	file, set := written(t, "p.yaml", small), "dir="+filepath.Join(t.TempDir(), "r")
	for _, args := range [][]string{{"plan"}, {"run", "--dry-run"}, {"run"}} {
		if o := vault(t, 0, nil, append(args, file, "--set", set)...); !strings.Contains(o.stdout, "a new one is made (create: true)") {
			t.Errorf("vault %s prints\n%s", strings.Join(args, " "), o.stdout)
		}
	}
	if o := vault(t, 0, nil, "run", file, "--set", set); strings.Contains(o.stdout, "new one") {
		t.Errorf("a second run prints\n%s", o.stdout)
	}
}

func TestInitRepository(t *testing.T) {
	const text = "version: 1\nsource: [{use: sample, with: {files: false}}]\ntransform: [{use: encrypt, with: {passphrase: \"${env:WORD}\"}}]\n" +
		"sink: [{use: local, with: {dir: \"${dir}/a\"}}, {use: local, with: {dir: \"${dir}/b\"}}]\n"
	file, dir, env := written(t, "p.yaml", text), t.TempDir(), []string{"WORD=correct horse"}
	set := []string{"--set", "dir=" + dir}
	o := vault(t, 0, env, append(set, "init-repository", file)...)
	for _, want := range []string{dir + "/a: created an encrypted repository", dir + "/b: created an encrypted", "next: vault run " + file} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("no %q in\n%s", want, o.stdout)
		}
	}
	if keys, err := os.ReadDir(dir + "/a/keys"); err != nil || len(keys) != 1 {
		t.Errorf("keys: %v %v", keys, err)
	}
	vault(t, 0, env, append(set, "run", file)...)
	if o := vault(t, 3, env, append(set, "init-repository", file)...); !strings.Contains(o.stdout, dir+"/a: already has a repository") {
		t.Errorf("second time: got\n%s%s", o.stdout, o.stderr)
	}
	vault(t, 0, append(env, "LMSVAULT_PASSPHRASE=correct horse"), "verify", dir+"/a")

	plain := filepath.Join(dir, "new", "c")
	if o := vault(t, 0, nil, "init-repository", plain); !strings.Contains(o.stdout, plain+": created a repository\nnext: ") {
		t.Errorf("directory: got\n%s", o.stdout)
	}
	vault(t, 0, nil, "run", written(t, "p.yaml", strings.Replace(small, ", create: true", "", 1)), "--set", "dir="+plain)
	for name, want := range map[string]string{
		"no storage": "has no storage under sink",
		"foreign":    "but not empty",
	} {
		code, arg := 3, t.TempDir()
		if name == "no storage" {
			code, arg = 2, written(t, "q.yaml", "version: 1\nsource: [{use: sample}]\nsink: [{use: sqlite, with: {path: /x}}]\n")
		} else if err := os.WriteFile(filepath.Join(arg, "notes.txt"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if o := vault(t, code, nil, "init-repository", arg); !strings.Contains(o.stderr, want) {
			t.Errorf("%s: got %s", name, o.stderr)
		}
	}
}

// Creating a repository requires the settings of its storage and transforms, but not the
// address of the site.
func TestInitRepositoryNeedsNoSite(t *testing.T) {
	const text = "version: 1\nsource: [{use: mysql, with: {dsn: \"${env:SITE_DSN}\"}}, {use: files, with: {dir: \"${env:SITE_FILES}\"}}]\n" +
		"transform: [{use: typemap}, {use: encrypt, with: {passphrase: \"${env:WORD}\"}}]\nsink: [{use: local, with: {dir: \"${dir}\"}}, {use: dataroot, with: {dir: \"${env:OTHER}\"}}]\n"
	file, dir := written(t, "p.yaml", text), filepath.Join(t.TempDir(), "r")
	if o := vault(t, 2, nil, "init-repository", file, "--set", "dir="+dir); !strings.Contains(o.stderr, "WORD") || strings.Contains(o.stderr, "SITE_DSN") {
		t.Errorf("without the passphrase: got\n%s", o.stderr)
	}
	if o := vault(t, 0, []string{"WORD=correct horse"}, "init-repository", file, "--set", "dir="+dir); !strings.Contains(o.stdout, dir+": created an encrypted repository") {
		t.Errorf("got\n%s%s", o.stdout, o.stderr)
	}
}

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/sources/sample"
)

// sampleSite generates the sample site in a directory, with code and config.php, and
// returns the directory of the code.
func sampleSite(t *testing.T, dir string) string {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, "site"), 0o700); err != nil {
		t.Fatal(err)
	}
	vault(t, 0, nil, "run", "../../pipelines/demo-site.yaml", "--set", "dir="+dir)
	code := sample.Code{Dir: filepath.Join(dir, "code"), Address: sample.Address, Database: filepath.Join(dir, "site/site.sqlite"), Dataroot: filepath.Join(dir, "site/dataroot"), Prefix: "mdl_", Country: "DE"}
	if err := code.Write(); err != nil {
		t.Fatal(err)
	}
	return code.Dir
}

// A site is backed up and its backup verified with two commands after vault init, which
// needs no DSN, no path but that of the code, and no passphrase.
func TestInitFindsTheSiteAndWritesPipelinesThatRun(t *testing.T) {
	dir := t.TempDir()
	code := sampleSite(t, dir)
	to, repo := filepath.Join(dir, "etc"), filepath.Join(dir, "backups")
	o := vault(t, 0, nil, "init", code, "--repository", repo, "--to", to)
	for _, want := range []string{"Sample School", sample.Address, "SQLite, 25 tables", repo + " (created)", "next: vault check " + to + "/site-backup.yaml"} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("no %q in\n%s", want, o.stdout)
		}
	}
	passphrase := filepath.Join(to, "vault.passphrase")
	if info, err := os.Stat(passphrase); err != nil || info.Mode().Perm() != 0o600 || info.Size() < 26 {
		t.Errorf("the passphrase file is %v (%v)", info, err)
	}
	if secret, err := os.ReadFile(passphrase); err != nil || strings.Contains(o.stdout+o.stderr, strings.TrimSpace(string(secret))) {
		t.Errorf("the passphrase is printed (%v)", err)
	}
	for _, name := range []string{"site-backup.yaml", "site-restore.yaml"} {
		vault(t, 0, nil, "lint", filepath.Join(to, name))
	}
	vault(t, 0, nil, "run", filepath.Join(to, "site-backup.yaml"))
	vault(t, 0, nil, "verify", repo, "--passphrase-file", passphrase)

	// Again, with the same result, and without another passphrase.
	again := vault(t, 0, nil, "init", code, "--repository", repo, "--to", to, "--json")
	var printed struct {
		Dir, Address, Repository string
		Passphrase               string `json:"passphrase_file"`
	}
	if err := json.Unmarshal([]byte(again.stdout), &printed); err != nil || printed.Dir != code || printed.Address != sample.Address || printed.Repository != repo || printed.Passphrase != "" {
		t.Errorf("init --json prints %s (%v)", again.stdout, err)
	}
	vault(t, 0, nil, "run", filepath.Join(to, "site-backup.yaml"))
}

// Values that config.php takes from elsewhere are given as options, and secrets among them
// stand neither in the pipelines nor on the command line.
func TestInitTakesWhatConfigPHPDoesNotSay(t *testing.T) {
	dir := t.TempDir()
	code := sampleSite(t, dir)
	config := filepath.Join(code, "config.php")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), "$CFG->dataroot  = '"+dir+"/site/dataroot'", "$CFG->dataroot  = my_function()", 1)
	if err := os.WriteFile(config, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	to, repo := filepath.Join(dir, "etc"), filepath.Join(dir, "backups")
	arguments := []string{"init", code, "--repository", repo, "--to", to}
	if o := vault(t, 2, nil, arguments...); !strings.Contains(o.stderr, "config.php:16: dataroot") || !strings.Contains(o.stderr, "--setting dataroot=VALUE") {
		t.Errorf("the message is\n%s", o.stderr)
	}
	if o := vault(t, 2, nil, append(arguments, "--setting", "dbpass=secret")...); !strings.Contains(o.stderr, "${env:MOODLE_DBPASS}") || strings.Contains(o.stderr, "dbpass=secret") {
		t.Errorf("the message is\n%s", o.stderr)
	}
	env := []string{"DATA=" + dir + "/site/dataroot", "LMSVAULT_PASSPHRASE=of the environment"}
	vault(t, 0, env, append(arguments, "--setting", "dataroot=${env:DATA}")...)
	pipeline := filepath.Join(to, "site-backup.yaml")
	if text, err := os.ReadFile(pipeline); err != nil || !strings.Contains(string(text), `dataroot: "${env:DATA}"`) || !strings.Contains(string(text), `"${env:LMSVAULT_PASSPHRASE}"`) {
		t.Errorf("the pipeline is\n%s (%v)", text, err)
	}
	vault(t, 0, env, "run", pipeline)
}

// Whatever is wrong is said before anything is written.
func TestInitRefusesWhatCannotWork(t *testing.T) {
	dir := t.TempDir()
	code := sampleSite(t, dir)
	to, repo := filepath.Join(dir, "etc"), filepath.Join(dir, "backups")
	wrong := func(code int, want string, args ...string) {
		t.Helper()
		if o := vault(t, code, nil, append([]string{"init"}, args...)...); !strings.Contains(o.stderr, want) {
			t.Errorf("init %v says\n%s", args, o.stderr)
		}
		if _, err := os.Stat(to); err == nil {
			t.Errorf("init %v has written something", args)
		}
	}
	wrong(2, "give --repository", code, "--to", to)
	wrong(2, "has no config.php", dir, "--to", to, "--repository", repo)
	wrong(2, "NAME=VALUE", code, "--setting", "x", "--to", to)
	if err := os.Rename(filepath.Join(dir, "site/dataroot/filedir"), filepath.Join(dir, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	wrong(3, "data root can't be read", code, "--to", to, "--repository", repo)
	if err := os.Rename(filepath.Join(dir, "elsewhere"), filepath.Join(dir, "site/dataroot/filedir")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "site/site.sqlite"), filepath.Join(dir, "site/other")); err != nil {
		t.Fatal(err)
	}
	wrong(3, "site.sqlite", code, "--to", to, "--repository", repo)
	if err := os.Rename(filepath.Join(dir, "site/other"), filepath.Join(dir, "site/site.sqlite")); err != nil {
		t.Fatal(err)
	}
	vault(t, 0, nil, "init", code, "--to", to, "--repository", repo)
	if o := vault(t, 3, nil, "init", code, "--to", to, "--repository", repo+"2"); !strings.Contains(o.stderr, "exists and differs") {
		t.Errorf("init says\n%s", o.stderr)
	}
	vault(t, 0, nil, "init", code, "--to", to, "--repository", repo+"2", "--force")
}

package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/cmd/vault/snapshotcmd"
)

// TestDemoAndCommandsOnItsRepository runs the demo and then the commands that read its
// repository.
func TestDemoAndCommandsOnItsRepository(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	o := vault(t, 0, nil, "demo", "--dir", dir)
	for _, want := range []string{"verified: moodle/database: ", "verified: moodle/files: ", "verified: moodle/dataroot: ", "ratio", dir + "/copy"} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("no %q in\n%s", want, o.stdout)
		}
	}
	vault(t, 3, nil, "demo", "--dir", dir)

	passphrase := dir + "/pipelines/vault.passphrase"
	secret, err := os.ReadFile(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	repo, key := dir+"/repository", []string{"LMSVAULT_PASSPHRASE=" + string(secret)}
	var list []struct{ ID, Pipeline string }
	if err := json.Unmarshal([]byte(vault(t, 0, key, "snapshots", repo, "--json").stdout), &list); err != nil || len(list) != 1 || list[0].Pipeline != "site-backup" {
		t.Errorf("%v: %v", err, list)
	}
	if o := vault(t, 0, key, "show", repo, "--snapshot", list[0].ID[:12]); !strings.Contains(o.stdout, "site-backup") || !strings.Contains(o.stdout, "config") {
		t.Errorf("show prints\n%s", o.stdout)
	}
	v := strings.Fields(vault(t, 0, nil, "version").stdout)[1]
	if o := vault(t, 0, key, "show", repo); !strings.Contains(o.stdout, ", vault "+v+"\n") {
		t.Errorf("this is %s, and show prints\n%s", v, o.stdout)
	}
	ls := vault(t, 0, key, "ls", repo, "--json").stdout
	for entry := range strings.Lines(ls) {
		var e snapshotcmd.Line
		if err := json.Unmarshal([]byte(entry), &e); err != nil {
			t.Fatal(err)
		}
		if e.Kind != "file" || !strings.HasPrefix(e.Path, "filedir/") {
			continue
		}
		if e.UID == nil || int(*e.UID) != os.Geteuid() || e.GID == nil {
			t.Errorf("ls does not print the owner of the file: %s", entry)
		}
		want, err := os.ReadFile(filepath.Join(dir, "site/dataroot", e.Path))
		if got := vault(t, 0, key, "cat", repo, e.Path); err != nil || got.stdout != string(want) {
			t.Errorf("cat %s gives %d bytes, the site has %d (%v)", e.Path, len(got.stdout), len(want), err)
		}
		break
	}
	if o := vault(t, 0, key, "cat", repo, "db/config"); !strings.Contains(o.stdout, "\t") {
		t.Errorf("rows of config are\n%s", o.stdout)
	}
	vault(t, 2, key, "cat", repo, "db/not_there")
	vault(t, 2, key, "show", repo, "--snapshot", "1999")
	vault(t, 0, key, "verify", repo)
	vault(t, 0, nil, "verify", repo, "--passphrase-file", passphrase)
	if o := vault(t, 3, []string{"LMSVAULT_PASSPHRASE=wrong"}, "ls", repo); strings.Contains(o.stderr, "wrong\"") || !strings.Contains(o.stderr, "passphrase") {
		t.Errorf("with a wrong passphrase: got %s", o.stderr)
	}
	if o := vault(t, 3, nil, "ls", repo); !strings.Contains(o.stderr, "LMSVAULT_PASSPHRASE") {
		t.Errorf("without a passphrase: got %s", o.stderr)
	}
	vault(t, 3, nil, "snapshots", filepath.Join(dir, "site"))
	if o := vault(t, 2, nil, "snapshots", filepath.Join(repo, "..", "site", "site.sqlite")); !strings.Contains(o.stderr, "neither a directory nor a pipeline file") {
		t.Errorf("file: got %s", o.stderr)
	}
	vault(t, 2, nil, "snapshots", "")
	if o := vault(t, 2, key, "ls", repo, "nosuch"); !strings.Contains(o.stderr, `has no entry "nosuch"`) || o.stdout != "" {
		t.Errorf("missing entry: got %s%s", o.stdout, o.stderr)
	}

	flip(t, repo)
	if o := vault(t, 4, key, "verify", repo); !strings.Contains(o.stderr, "damage found in 1 place (checked 1 of 1 snapshot)") || o.stdout == "" {
		t.Errorf("verify of a damaged repository prints %s%s", o.stdout, o.stderr)
	}
}

// flip flips a bit in the middle of the largest file of a repository.
func flip(t *testing.T, repo string) {
	t.Helper()
	var largest string
	var size int64
	err := filepath.WalkDir(repo, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Size() > size {
			largest, size = path, info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(largest)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	if err := os.Chmod(largest, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(largest, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

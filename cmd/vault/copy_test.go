package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/cmd/vault/snapshotcmd"
)

// copyPlaces creates a repository with a passphrase, and a pipeline that backs up to
// another one.
func copyPlaces(t *testing.T) (env []string, from, to, offsite string) {
	t.Helper()
	dir := t.TempDir()
	from, to = filepath.Join(dir, "from"), filepath.Join(dir, "to")
	env = []string{"FROM=" + from, "TO=" + to, "OLD=old secret", "NEW=new secret"}
	file := func(name, pass, place, more string) string {
		return written(t, name+".yaml", `version: 1
name: `+name+`
source: [{use: sample, with: {db_bytes: 16KiB, files: false}}]
transform: [{use: compress}, {use: encrypt, with: {passphrase: "${env:`+pass+`}"}}]
sink: [{use: local, with: {dir: "${env:`+place+`}"`+more+`}}]
`)
	}
	nightly := file("nightly", "OLD", "FROM", ", create: true")
	vault(t, 0, env, "run", nightly, "--tag", "first")
	vault(t, 0, env, "run", nightly)
	return env, from, to, file("offsite", "NEW", "TO", "")
}

func TestCopy(t *testing.T) {
	env, from, to, offsite := copyPlaces(t)
	env = append(env, "LMSVAULT_FROM_PASSPHRASE=old secret", "LMSVAULT_PASSPHRASE=new secret")
	if o := vault(t, 3, env, "copy", from, offsite, "--all"); !strings.Contains(o.stderr, "vault init-repository "+offsite) {
		t.Errorf("without a repository: got\n%s", o.stderr)
	}
	if o := vault(t, 3, env, "copy", from, to, "--all"); !strings.Contains(o.stderr, "there is no repository") {
		t.Errorf("without a directory: got\n%s", o.stderr)
	}
	vault(t, 0, env, "init-repository", to)
	if o := vault(t, 3, env, "copy", from, to, "--all"); !strings.Contains(o.stderr, "has no key yet") {
		t.Errorf("without a key: got\n%s", o.stderr)
	}
	if o := vault(t, 0, env, "copy", from, offsite, "--tag", "first", "--dry-run"); !strings.Contains(o.stdout, "dry run: 1 snapshot would be copied") {
		t.Errorf("a dry run prints\n%s", o.stdout)
	}
	if keys, err := os.ReadDir(filepath.Join(to, "keys")); err == nil && len(keys) > 0 {
		t.Error("a dry run created a key")
	}
	if o := vault(t, 0, env, "copy", from, offsite, "--tag", "first"); !strings.Contains(o.stdout, "copied and verified 1 snapshot") {
		t.Errorf("got\n%s", o.stdout)
	}
	var doc struct{ Copied, There []snapshotcmd.CopyLine }
	o := vault(t, 0, env, "copy", from, to, "--all", "--json")
	if err := json.Unmarshal([]byte(o.stdout), &doc); err != nil || len(doc.Copied) != 1 || len(doc.There) != 1 || doc.Copied[0].Copy != doc.Copied[0].ID || doc.Copied[0].Totals == nil {
		t.Errorf("%v: it prints\n%s", err, o.stdout)
	}
	if o := vault(t, 0, env, "copy", from, to, "--all"); !strings.Contains(o.stdout, "nothing to copy") {
		t.Errorf("second time: got\n%s", o.stdout)
	}
	vault(t, 0, env, "verify", to)
	if o := vault(t, 0, env, "show", to); !strings.Contains(o.stdout, "\ncopied from snapshot "+doc.Copied[0].ID+" of repository ") {
		t.Errorf("show prints\n%s", o.stdout)
	}
	one := vault(t, 0, append(env, "LMSVAULT_PASSPHRASE=old secret"), "cat", from, "db/config")
	if two := vault(t, 0, env, "cat", to, "db/config"); one.stdout == "" || two.stdout != one.stdout {
		t.Errorf("table config came out as\n%s\nand was\n%s", two.stdout, one.stdout)
	}
}

func TestRefusedCopySuggestsRemedy(t *testing.T) {
	env, from, to, offsite := copyPlaces(t)
	vault(t, 0, env, "init-repository", offsite)
	wrong, right := written(t, "wrong", "nonsense\n"), written(t, "right", "old secret\n")
	for _, c := range []struct {
		code int
		say  string
		args []string
	}{
		{2, "copy needs TO", []string{from}},
		{2, "no snapshots selected", []string{from, to}},
		{2, "not both", []string{from, to, "latest", "--all"}},
		{2, "omit it or --site", []string{from, to, "--all", "--tag", "x"}},
		{2, `no snapshot "nosuch"`, []string{from, to, "nosuch"}},
		{2, "--site is empty", []string{from, to, "--site", ""}},
		{2, `there is no snapshot of tag "other"`, []string{from, offsite, "--tag", "other", "--from-passphrase-file", right}},
		{2, "--passphrase-file is for a directory", []string{from, offsite, "--all", "--from-passphrase-file", right, "--passphrase-file", right}},
		{3, "give --from-passphrase-file or --from-identity-file, or set LMSVAULT_FROM_PASSPHRASE", []string{from, offsite, "--all"}},
		{3, "give --passphrase-file, set LMSVAULT_PASSPHRASE", []string{from, to, "--all", "--from-passphrase-file", right}},
		{3, "wrong passphrase", []string{from, offsite, "--all", "--from-passphrase-file", wrong}},
		{3, "target repository: " + "keys/", []string{from, to, "--all", "--from-passphrase-file", right, "--passphrase-file", wrong}},
		{3, "source and target are the same repository", []string{from, from, "--all", "--from-passphrase-file", right, "--passphrase-file", right}},
	} {
		o := vault(t, c.code, env, append([]string{"copy"}, c.args...)...)
		if !strings.Contains(o.stderr, c.say) || strings.Contains(o.stderr, "secret\n") || strings.Contains(o.stderr, "nonsense") {
			t.Errorf("vault copy %q prints\n%s\nwant %q", c.args, o.stderr, c.say)
		}
	}
	if list, err := os.ReadDir(filepath.Join(to, "snapshots")); err == nil && len(list) > 0 {
		t.Error("a refused copy wrote to the repository")
	}
}

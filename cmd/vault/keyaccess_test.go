package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
)

// The passphrase can be changed without a new backup.
func TestKeyAddAndRemove(t *testing.T) {
	dir := t.TempDir()
	repo := filepath.Join(dir, "repository")
	env := []string{"REPO=" + repo, "PASS=old secret"}
	nightly := written(t, "nightly.yaml", `version: 1
name: nightly
source: [{use: sample, with: {db_bytes: 16KiB, files: false}}]
transform: [{use: encrypt, with: {passphrase: "${env:PASS}"}}]
sink: [{use: local, with: {dir: "${env:REPO}", create: true}}]
`)
	vault(t, 0, env, "run", nightly)
	old, next := written(t, "old", "old secret\n"), written(t, "next", "new secret\n")
	type line struct {
		ID, Readers string
		Keys        []string
		Used        bool
	}
	list := func(args ...string) (list []line) {
		t.Helper()
		if o := vault(t, 0, env, append([]string{"key", "list", "--json"}, args...)...); json.Unmarshal([]byte(o.stdout), &list) != nil {
			t.Fatalf("key list prints\n%s", o.stdout)
		}
		return list
	}
	if o := vault(t, 0, env, "key", "add", repo, "--passphrase-file", old, "--new-passphrase-file", next); !strings.Contains(o.stdout, "it opens 1 key") {
		t.Errorf("key add prints\n%s", o.stdout)
	}
	if o := vault(t, 3, env, "key", "add", repo, "--passphrase-file", old, "--new-passphrase-file", next); !strings.Contains(o.stderr, "opens the key already") {
		t.Errorf("second time: got\n%s", o.stderr)
	}
	both := list(repo, "--passphrase-file", next)
	if len(both) != 2 || both[0].Used || !both[1].Used || both[0].Readers != "a passphrase" {
		t.Fatalf("key list has %+v", both)
	}
	if byFile := list(nightly); len(byFile) != 2 || !byFile[0].Used {
		t.Errorf("with the keys of the file: %+v", byFile)
	}
	if o := vault(t, 0, env, "key", "list", repo, "--passphrase-file", next); !strings.Contains(o.stdout, "used now") || !strings.Contains(o.stdout, both[1].ID) {
		t.Errorf("key list prints\n%s", o.stdout)
	}
	if o := vault(t, 3, env, "key", "remove", repo, both[0].ID, "--passphrase-file", old); !strings.Contains(o.stderr, "give one that remains") {
		t.Errorf("removing what opens it prints\n%s", o.stderr)
	}
	if o := vault(t, 3, env, "key", "remove", repo, both[0].ID, both[1].ID, "--passphrase-file", old); !strings.Contains(o.stderr, "give one that remains") {
		t.Errorf("removing all prints\n%s", o.stderr)
	}
	o := vault(t, 0, env, "key", "remove", repo, both[0].ID[:4], "--passphrase-file", next)
	for _, say := range []string{"removed " + both[0].ID[:4] + " from 1 key", "may\nhave copied the key", "vault key renew PIPELINE"} {
		if !strings.Contains(o.stdout, say) {
			t.Errorf("key remove prints\n%s", o.stdout)
		}
	}
	if o := vault(t, 3, env, "ls", repo, "--passphrase-file", old); !strings.Contains(o.stderr, "wrong passphrase") {
		t.Errorf("with the old passphrase: got\n%s", o.stderr)
	}
	vault(t, 0, env, "verify", repo, "--passphrase-file", next)
	if o := vault(t, 3, env, "run", nightly); !strings.Contains(o.stderr, "wrong passphrase") {
		t.Errorf("a backup with the old passphrase prints\n%s", o.stderr)
	}
	env[1] = "PASS=new secret"
	vault(t, 0, env, "run", nightly)
	if keys, err := os.ReadDir(filepath.Join(repo, "keys")); err != nil || len(keys) != 1 {
		t.Errorf("%d keys, %v", len(keys), err)
	}
	if o := vault(t, 0, env, "key", "renew", nightly); !strings.Contains(o.stdout, "created a new key") {
		t.Errorf("key renew prints\n%s", o.stdout)
	}
	vault(t, 0, env, "run", nightly)
	if keys, err := os.ReadDir(filepath.Join(repo, "keys")); err != nil || len(keys) != 2 {
		t.Errorf("%d keys, %v", len(keys), err)
	}
	vault(t, 0, env, "verify", nightly)
}

func TestKeyAddRecipient(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	repo := filepath.Join(t.TempDir(), "repository")
	env := []string{"REPO=" + repo, "LMSVAULT_PASSPHRASE=a secret"}
	vault(t, 0, env, "run", written(t, "nightly.yaml", `version: 1
source: [{use: sample, with: {db_bytes: 16KiB, files: false}}]
transform: [{use: encrypt, with: {passphrase: "${env:LMSVAULT_PASSPHRASE}"}}]
sink: [{use: local, with: {dir: "${env:REPO}", create: true}}]
`))
	identity := written(t, "identity", id.String()+"\n")
	if o := vault(t, 3, nil, "ls", repo, "--identity-file", identity); !strings.Contains(o.stderr, "can be opened with a passphrase") {
		t.Errorf("before: got\n%s", o.stderr)
	}
	vault(t, 0, env, "key", "add", repo, "--recipient", id.Recipient().String())
	vault(t, 0, nil, "verify", repo, "--identity-file", identity)
	for _, c := range []struct {
		code int
		say  string
		args []string
	}{
		{2, "give --new-passphrase-file, set LMSVAULT_NEW_PASSPHRASE, or give --recipient", []string{"add", repo}},
		{2, "is not an age public key", []string{"add", repo, "--recipient", "age1nonsense"}},
		{2, "one character", []string{"add", repo, "--new-passphrase-file", written(t, "p", "x\n")}},
		{2, "key remove needs ID", []string{"remove", repo}},
		{2, `no access with ID "nosuch"`, []string{"remove", repo, "nosuch"}},
		{2, "key list needs REPO", []string{"list"}},
		{2, `has no command "lst"`, []string{"lst"}},
	} {
		if o := vault(t, c.code, env, append([]string{"key"}, c.args...)...); !strings.Contains(o.stderr, c.say) {
			t.Errorf("vault key %q prints\n%s\nwant %q", c.args, o.stderr, c.say)
		}
	}
}

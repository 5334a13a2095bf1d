package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKeyNew(t *testing.T) {
	file := filepath.Join(t.TempDir(), "signing.key")
	signer := strings.TrimSpace(vault(t, 0, nil, "key", "new", file).stdout)
	text, err := os.ReadFile(file)
	if err != nil || !strings.HasPrefix(signer, "vault-signer-") || !strings.HasPrefix(string(text), "# public key: "+signer+"\nVAULT-SIGNING-KEY-") {
		t.Errorf("printed %q and wrote\n%s%v", signer, text, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if o := vault(t, 3, nil, "key", "new", file); !strings.Contains(o.stderr, "exists") {
		t.Errorf("second time: got %s", o.stderr)
	}
	if again, err := os.ReadFile(file); err != nil || string(again) != string(text) {
		t.Errorf("the key was overwritten: %v", err)
	}
}

// With a public key, every command accepts snapshots signed by it and refuses unsigned
// ones and those of other signers.
func TestEveryCommandChecksSigners(t *testing.T) {
	dir := t.TempDir()
	key := func(name string) string {
		return strings.TrimSpace(vault(t, 0, nil, "key", "new", filepath.Join(dir, name)).stdout)
	}
	mine, other := key("mine.key"), key("other.key")
	env := []string{"DIR=" + dir}
	signed := written(t, "nightly.yaml", "version: 1\nsource: [{use: sample, with: {files: false}}]\n"+
		"sink: [{use: local, with: {dir: \"${env:DIR}/r\", create: true, signing_key: \"${file:"+dir+"/mine.key}\"}}]\n")
	vault(t, 0, env, "run", signed)
	repo := dir + "/r"
	restore := func(signers string) string {
		return written(t, "restore.yaml", "version: 1\nsource: [{use: local, with: {dir: \"${env:DIR}/r\""+signers+"}}]\nsink: [{use: sqlite, with: {path: \"${env:DIR}/copy.db\", replace: true}}]\n")
	}
	if o := vault(t, 0, nil, "show", repo, "--signer", mine); !strings.Contains(o.stdout, "signed by "+mine) {
		t.Errorf("show prints\n%s", o.stdout)
	}
	vault(t, 0, env, "run", restore(", signers: ["+mine+"]"))
	vault(t, 0, env, "run", restore(", signers: ["+other+", "+mine+"]"))
	vault(t, 0, nil, "ls", repo, "--signer", other, "--signer", mine)
	vault(t, 0, env, "ls", restore(", signers: ["+mine+"]"))
	for _, refused := range [][]string{{"show", repo, "--signer", other}, {"ls", repo, "--signer", other}, {"run", restore(", signers: [" + other + "]")}, {"ls", restore(", signers: [" + other + "]")}} {
		if o := vault(t, 3, env, refused...); !strings.Contains(o.stderr, "not signed by a trusted key") {
			t.Errorf("%s prints\n%s", refused, o.stderr)
		}
	}
	if o := vault(t, 4, nil, "verify", repo, "--signer", other); !strings.Contains(o.stdout, "not signed by a trusted key; it may be forged") {
		t.Errorf("verify prints\n%s", o.stdout)
	}

	vault(t, 0, env, "run", written(t, "nightly.yaml", "version: 1\nsource: [{use: sample, with: {files: false}}]\nsink: [{use: local, with: {dir: \"${env:DIR}/r\"}}]\n"))
	vault(t, 0, env, "run", restore(""))
	const skipped = "1 newer snapshot is skipped: not signed by a trusted key"
	if o := vault(t, 0, env, "run", restore(", signers: ["+mine+"]")); !strings.Contains(o.stdout, skipped) {
		t.Errorf("newer unsigned snapshot: got\n%s%s", o.stdout, o.stderr)
	}
	for _, args := range [][]string{{"show", repo}, {"ls", repo}, {"cat", repo, "db/config"}, {"verify", repo, "latest"}} {
		if o := vault(t, 0, nil, append(args, "--signer", mine)...); !strings.Contains(o.stderr, skipped) {
			t.Errorf("%s prints\n%s", args, o.stderr)
		}
	}
	if o := vault(t, 0, nil, "show", repo, "--signer", mine, "--json"); !json.Valid([]byte(o.stdout)) || !strings.Contains(o.stderr, skipped) {
		t.Errorf("show --json prints\n%s%s", o.stdout, o.stderr)
	}
	text, err := os.ReadFile(dir + "/mine.key")
	if err != nil {
		t.Fatal(err)
	}
	secret := strings.TrimSpace(string(text[len(text)-30:]))
	for text, says := range map[string]string{
		", signers: [" + mine[:len(mine)-1] + "]":       "was modified",
		", signers: [\"${file:" + dir + "/mine.key}\"]": "this is a secret signing key; give its public key",
		", signers: []":        "signers is an empty list",
		", signers: [age1qqq]": "not the public key of a signer",
		", signing_key: \"${file:" + dir + "/mine.key}\"": `unknown key "signing_key"`,
	} {
		o := vault(t, 2, env, "run", restore(text))
		if !strings.Contains(o.stderr, says) || strings.Contains(o.stderr, secret) {
			t.Errorf("%s: got\n%s", text, o.stderr)
		}
	}
}

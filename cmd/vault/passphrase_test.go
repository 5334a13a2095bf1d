package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestPassphraseIsSameFromAllSources(t *testing.T) {
	repo := filepath.Join(t.TempDir(), "repo")
	pipeline := func(repo string) string {
		return written(t, "p.yaml", `version: 1
source: [{use: sample, with: {files: false}}]
transform: [{use: encrypt, with: {passphrase: "${env:PASS}"}}]
sink: [{use: local, with: {create: true, dir: `+repo+`}}]
`)
	}
	vault(t, 0, []string{"PASS=open sesame\n"}, "run", pipeline(repo))
	const variable = "LMSVAULT_PASSPHRASE="
	for _, c := range []struct {
		name, env, in string
		args          []string
		code          int
		say           string
	}{
		{"variable", variable + "open sesame", "", nil, 0, ""},
		{"variable with a line break", variable + "open sesame\r\n", "", nil, 0, ""},
		{"pipe", "", "open sesame\n", []string{"--passphrase-file", "/dev/stdin"}, 0, ""},
		{"file", "", "", []string{"--passphrase-file", written(t, "p", "open sesame\n")}, 0, ""},
		{"two line breaks", variable + "open sesame\n\n", "", nil, 3, "ends with a line break; was that intended?"},
		{"a space", variable + "open sesame ", "", nil, 3, "ends with a space"},
		{"a space before", variable + " open sesame", "", nil, 3, "begins with a space"},
		{"another", variable + "close sesame", "", nil, 3, "wrong passphrase\n"},
		{"empty variable", variable, "", nil, 3, "LMSVAULT_PASSPHRASE is empty"},
		{"empty file", "", "", []string{"--passphrase-file", "/dev/stdin"}, 2, "/dev/stdin is empty"},
		{"directory", "", "", []string{"--passphrase-file", t.TempDir()}, 2, "is a directory"},
	} {
		o := call{args: append([]string{"ls", repo}, c.args...), env: []string{c.env}, in: c.in}.run(t)
		if o.code != c.code || !strings.Contains(o.stderr, c.say) || strings.Contains(o.stderr, "sesame") {
			t.Errorf("%s: exit code %d, want %d and %q\n%s", c.name, o.code, c.code, c.say, o.stderr)
		}
	}
	for _, short := range []string{"x", "x\n"} {
		if o := vault(t, 2, []string{"PASS=" + short}, "run", pipeline(repo+"2")); !strings.Contains(o.stderr, "one character") {
			t.Errorf("%q: %s", short, o.stderr)
		}
	}
	if o := vault(t, 2, []string{"PASS=\n"}, "run", pipeline(repo+"2")); !strings.Contains(o.stderr, "PASS is set but empty") {
		t.Errorf("empty: %s", o.stderr)
	}
}

func TestRepositoryMustBeDirectory(t *testing.T) {
	for path, say := range map[string]string{
		"~/backups": "leave out the quotes", "$HOME/backups": "so that the shell expands it", "s3://bucket/x": "no bucket storage", "file:///srv/x": "write /srv/x",
		"vault@host:/srv": "another host", "sftp://host/srv": "the example sftp", `C:\backups`: "a Windows path", "${env:HOME}/x": "not expanded", "/srv/x\n": "line break",
	} {
		for _, command := range []string{"snapshots", "ls", "init-repository"} {
			if o := vault(t, 2, nil, command, path); !strings.Contains(o.stderr, say) {
				t.Errorf("vault %s %q prints %s, want %q", command, path, o.stderr, say)
			}
		}
	}
}

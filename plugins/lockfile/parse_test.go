package lockfile

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
)

const sound = `version: 1
plugins:
  - name: mystore
    version: 1.0.0
    protocol: 1
    sdk: go v0.3.0
    stages: [storage mystore]
    files:
      - platform: linux/amd64
        path: vault-plugins/mystore-1.0.0
        sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        pinned: "2026-03-01T12:00:00Z"
`

func TestDamagedLockFileIsRefused(t *testing.T) {
	again := sound[strings.Index(sound, "  - name"):]
	for _, c := range []struct{ from, to, says string }{
		{sound, "", "it is empty"},
		{sound, "# nothing\n", "it is empty"},
		{sound, "version: [1\n", "it is not YAML"},
		{sound, "\x00\x01", "it is not YAML"},
		{sound, "just words", "vault.lock.yaml:1:1: error: must be a mapping of settings"},
		{sound, sound + "---\n" + sound, "more than one YAML document"},
		{"version: 1\n", "version: 0\n", "version must be at least 1"},
		{"version: 1\n", "", "version is missing"},
		{"version: 1\n", "version: 1\nplugin: []\n", `unknown key "plugin": did you mean "plugins"?`},
		{"    sdk:", "    skd:", `vault.lock.yaml:6:5: error: unknown key "skd": did you mean "sdk"?`},
		{"        pinned:", "        signed: x\n        pinned:", `unknown key "signed"`},
		{"    version: 1.0.0\n", "    version: 1.0.0\n    version: 1.0.1\n", `vault.lock.yaml:5:5: error: duplicate key "version"`},
		{"stages: [storage mystore]", "stages: storage", "stages"},
		{"    protocol: 1\n", "", "protocol is missing"},
		{"protocol: 1", "protocol: 0", "protocol"},
		{"name: mystore", "name: ../mystore", `plugin name "../mystore" must consist of`},
		{"version: 1.0.0", "version: latest", `plugin version "latest" must be a semantic version such as 1.2.3`},
		{"version: 1.0.0", "version: 1.0.0+build", "must be a semantic version such as 1.2.3"},
		{"storage mystore", "engine mystore", `stage "engine mystore" must have the role`},
		{"[storage mystore]", "[storage mystore, sink mystore]", "two stages of the form sink mystore"},
		{"[storage mystore]", "[]", "stages is an empty list"},
		{"linux/amd64", "linux", `"linux" is not a platform`},
		{"0123456789abcdef0123", "0123456789ABCDEF0123", "is not a SHA-256"},
		{"2026-03-01T12:00:00Z", "yesterday", `"yesterday" is not a time`},
		{"vault-plugins/mystore-1.0.0", "../mystore", `path: "../mystore" is outside the directory of the lock file`},
		{"vault-plugins/mystore-1.0.0", "vault-plugins/../../mystore", "is outside the directory"},
		{"vault-plugins/mystore-1.0.0", "/usr/bin/env", `path: "/usr/bin/env" is outside the directory of the lock file`},
		{"vault-plugins/mystore-1.0.0", "vault-plugins//mystore", "must be clean"},
		{"vault-plugins/mystore-1.0.0", "vault-plugins/my store", "must be clean"},
		{"vault-plugins/mystore-1.0.0", ".", "must be clean"},
		{"vault-plugins/mystore-1.0.0", "${env:HOME}/mystore", "references are not supported in a lock file"},
		{again, again + again, "plugin mystore is listed twice"},
		{again, again + strings.Replace(again, "name: mystore", "name: other", 1), "plugins mystore and other both have a storage mystore"},
		{again, again + strings.NewReplacer("name: mystore", "name: other", "storage mystore", "sink mystore").Replace(again), "plugins mystore and other both have a sink mystore"},
		{again, again + strings.NewReplacer("name: mystore", "name: other", "storage mystore", "storage more").Replace(again), "both have the file vault-plugins/mystore-1.0.0"},
		{again, again + again[strings.Index(again, "      - platform"):], "plugin mystore has two files for linux/amd64"},
	} {
		if !strings.Contains(sound, c.from) {
			t.Fatalf("nothing to replace: %s", c.from)
		}
		dir := t.TempDir()
		put(t, dir, strings.Replace(sound, c.from, c.to, 1))
		_, err := Load(dir)
		if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), dir+"/"+Name+" is damaged, so none of its plugins can be used; restore it from version control") {
			t.Errorf("%q instead of %q: want %q, got %v", c.to, c.from, c.says, err)
		}
	}
	dir := t.TempDir()
	put(t, dir, sound+strings.Repeat("#", maxFile))
	if _, err := Load(dir); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "larger than") {
		t.Error(err)
	}
	put(t, dir, sound)
	if _, err := Load(dir); err != nil {
		t.Error(err)
	}
}

// It is not damaged, and removing it would lose its pins.
func TestNewerLockFileIsNotCalledDamaged(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "version: 2\nnew: form\n")
	_, err := Load(dir)
	if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "it has format version 2, this vault supports version 1; use a vault that supports it") || strings.Contains(err.Error(), "remove") {
		t.Error(err)
	}
}

// Any lock file is refused, or has the same meaning when written again.
func FuzzParse(f *testing.F) {
	f.Add([]byte(sound))
	f.Add([]byte("version: 1\nplugins: []\n"))
	f.Add([]byte("version: 1\nplugins: &a [*a]\n"))
	f.Add([]byte("? {}\n: []"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var first, second File
		if first.parse(text) != nil {
			return
		}
		once, err := first.format()
		if err != nil {
			t.Fatal(err)
		}
		if err := second.parse(once); err != nil {
			t.Fatalf("%v in\n%s", err, once)
		}
		twice, err := second.format()
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%v\n%s\n%s", err, once, twice)
		}
		for _, p := range second.Plugins {
			for _, pin := range p.Pins {
				if strings.HasPrefix(pin.Path, "/") || slices.Contains(strings.Split(pin.Path, "/"), "..") {
					t.Fatalf("%s is outside the directory", pin.Path)
				}
			}
		}
	})
}

func put(t *testing.T, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, Name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

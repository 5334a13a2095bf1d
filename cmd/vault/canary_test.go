package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/stage"
)

// A secret that is inserted into any other setting by a reference does not appear in
// messages, logs, plans or results.
func TestNoOutputShowsValueOfReference(t *testing.T) {
	for look, canary := range map[string]string{"usual": "S3CRET-CANARY", "word": "canary", "words": "correct-canary-horse", "prefix": "canary_"} {
		t.Run(look, func(t *testing.T) { noOutputShows(t, canary) })
	}
}

func noOutputShows(t *testing.T, canary string) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "holding"), []byte(canary+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const from, to = "{use: sample, with: {files: false}}", "{use: local, with: {dir: repo, create: true}}"
	for name, c := range map[string][3]string{
		"name":       {"name: '@'\n", from, to},
		"workers":    {"workers: '@'\n", from, to},
		"use":        {"", "{use: '@'}", to},
		"plugin":     {"", "{use: './@'}", to},
		"directory":  {"", "{use: files, with: {dir: '@'}}", to},
		"data root":  {"", "{use: dataroot, with: {dir: './@/x'}}", to},
		"repository": {"", from, "{use: local, with: {dir: '@', create: true}}"},
		"not made":   {"", from, "{use: local, with: {dir: '@/x'}}"},
		"database":   {"", "{use: sqlite, with: {path: '@'}}", to},
		"sink":       {"", from, "{use: sqlite, with: {path: 'x/@/y'}}"},
		"prefix":     {"", "{use: sample, with: {files: false, prefix: '@'}}", to},
		"factor":     {"", "{use: sample, with: {factor: '@'}}", to},
		"mysql":      {"", "{use: mysql, with: {dsn: 'u:@@tcp(127.0.0.1:1)/x'}}", to},
		"user":       {"", "{use: mysql, with: {dsn: '@:x@tcp(127.0.0.1:1)/x'}}", to},
		"no URL":     {"", "{use: postgres, with: {dsn: 'postgres://u:@@[::1'}}", to},
		"schema":     {"", "{use: postgres, with: {dsn: 'postgres://u:@@127.0.0.1:1/x', schema: '@'}}", to},
		"snapshot":   {"", "{use: local, with: {dir: repo, snapshot: '@'}}", "{use: sqlite, with: {path: s.sqlite}}"},
		"recipients": {"transform: [{use: encrypt, with: {recipients: ['@']}}]\n", from, to},
	} {
		for form, env := range map[string]string{"${env:HOLDS}": "HOLDS=" + canary, "${file:holding}": ""} {
			if form == "${env:HOLDS}" && (name == "name" || name == "prefix") || canary == "canary" && name == "prefix" {
				continue // names are shown; the prefix is part of the names of tables and indexes
			}
			text := "version: 1\n" + c[0] + "source: [" + c[1] + "]\nsink: [" + c[2] + "]\n"
			text = strings.NewReplacer("@@", form+"@", "'@:", "'"+form+":", "@tcp", "@tcp", "@[", "@[", "@1", "@1", "@", form).Replace(text)
			file := filepath.Join(dir, "p.yaml")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, command := range [][]string{{"lint", file}, {"plan", file, "--json", "--verbose"}, {"run", file, "--json"}, {"run", file, "--verbose"}} {
				cmd := call{args: command, env: []string{env, "LC_ALL=C"}}
				if o := cmd.run(t); strings.Contains(strings.ToLower(o.stdout+o.stderr), "canary") {
					t.Errorf("%s, %s: vault %s prints\n%s%s", name, form, command[0], o.stdout, o.stderr)
				}
			}
		}
	}
}

// Results must show the names of sites and pipelines to be useful.
func TestResultsShowNamesFromEnvironment(t *testing.T) {
	file := written(t, "p.yaml", "version: 1\nname: \"${env:SITE}\"\nsource: [{use: sample, with: {files: false, prefix: \"${env:PREFIX}\"}}]\n"+
		"sink: [{use: local, with: {dir: \"${dir}\", create: true}}]\n")
	o := vault(t, 0, []string{"SITE=green-valley", "PREFIX=gv_"}, "plan", file, "--json", "--set", "dir="+filepath.Join(t.TempDir(), "r"))
	for _, want := range []string{`"pipeline": "green-valley"`, `"prefix": "gv_"`} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("no %s in\n%s", want, o.stdout)
		}
	}
}

// The passphrase of a command is hidden in messages of other programs, here within a name
// to look up, regardless of its form and origin.
func TestPassphraseOfCommandIsHidden(t *testing.T) {
	for _, phrase := range []string{"marmalade", "correct-horse-battery", "marmalade_", "12345678"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "held"), []byte(phrase+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		file := written(t, "p.yaml", "version: 1\nsource: [{use: sample, with: {files: false}}]\ntransform: [{use: encrypt, with: {passphrase: \"${env:P}\"}}]\n"+
			"sink: [{use: local, with: {dir: "+dir+"/r, create: true}}]\n")
		vault(t, 0, []string{"P=" + phrase}, "run", file)
		for from, c := range map[string]call{
			"file":        {args: []string{"ls", dir + "/r", "db/" + phrase, "--passphrase-file", dir + "/held"}},
			"environment": {args: []string{"ls", dir + "/r", "db/" + phrase}, env: []string{"LMSVAULT_PASSPHRASE=" + phrase}},
			"JSON":        {args: []string{"ls", dir + "/r", "db/" + phrase, "--json"}, env: []string{"LMSVAULT_PASSPHRASE=" + phrase}},
		} {
			o := c.run(t)
			if o.code == 0 || strings.Contains(o.stdout+o.stderr, phrase) || !strings.Contains(o.stderr, "***") {
				t.Errorf("%s from the %s: exit code %d\n%s%s", phrase, from, o.code, o.stdout, o.stderr)
			}
			if from == "JSON" && !json.Valid([]byte(o.stdout)) {
				t.Errorf("not JSON: %s", o.stdout)
			}
		}
	}
}

// A secret that is given instead of the path of its file is not shown.
func TestSecretGivenAsPathIsNotShown(t *testing.T) {
	repo := t.TempDir()
	for _, secret := range []string{"marmalade", "correct-horse-battery", "marmalade_", "AGE-SECRET-KEY-1QQ"} {
		for _, flag := range []string{"passphrase", "identity"} {
			for from, c := range map[string]call{
				"flag":        {args: []string{"ls", repo, "--" + flag + "-file", secret}},
				"environment": {args: []string{"ls", repo, "--json"}, env: []string{"LMSVAULT_" + strings.ToUpper(flag) + "_FILE=" + secret}},
			} {
				if o := c.run(t); o.code != 2 || strings.Contains(o.stdout+o.stderr, secret) || !strings.Contains(o.stderr, "--"+flag+"-file: ") {
					t.Errorf("%s from the %s: exit code %d\n%s%s", secret, from, o.code, o.stdout, o.stderr)
				}
			}
		}
	}
}

// A passphrase that is one of Vault's keywords does not change messages.
func TestKeywordAsPassphraseHidesNoMessage(t *testing.T) {
	a := &cli.App{}
	for _, word := range []string{"vault", "moodle", "error", "failed", "table"} {
		a.Hide(config.NewSecret(word))
	}
	const text = "vault: error: reading table user of moodle failed"
	if got := a.Hidden.Redact(text); got != text {
		t.Errorf("it becomes %q", got)
	}
	words := []string{
		string(progress.Warning), string(progress.Begin), string(progress.Phase), string(progress.Moving), string(progress.Unit), string(progress.Done), string(progress.Failed),
		string(stage.RoleSource), string(stage.RoleTransform), string(stage.RoleSink), string(stage.RoleStorage), stage.DB, stage.Filedir, stage.Dataroot, stage.Site,
		string(stage.Table), string(stage.File), string(stage.Dir), string(stage.Symlink), string(stage.Document),
	}
	for _, kind := range stage.LossKinds() {
		words = append(words, string(kind))
	}
	for _, word := range words { // scripts depend on them
		a.Hide(config.NewSecret(word))
		if got := a.Hidden.Redact(word); got != word {
			t.Errorf("%q becomes %q", word, got)
		}
	}
}

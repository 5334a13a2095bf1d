package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A secret that somebody puts into another setting, by a reference, is in no
// message, log, plan or result.
func TestNoOutputShowsWhatAReferenceStandsFor(t *testing.T) {
	const canary = "S3CRET-CANARY"
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
			text := "version: 1\n" + c[0] + "source: [" + c[1] + "]\nsink: [" + c[2] + "]\n"
			text = strings.NewReplacer("@@", form+"@", "'@:", "'"+form+":", "@tcp", "@tcp", "@[", "@[", "@1", "@1", "@", form).Replace(text)
			file := filepath.Join(dir, "p.yaml")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, command := range [][]string{{"lint", file}, {"plan", file, "--json", "--verbose"}, {"run", file, "--json"}, {"run", file, "--verbose"}} {
				cmd := call{args: command, env: []string{env, "LC_ALL=C"}}
				if o := cmd.run(t); strings.Contains(o.stdout+o.stderr, "CANARY") {
					t.Errorf("%s, %s: vault %s prints\n%s%s", name, form, command[0], o.stdout, o.stderr)
				}
			}
		}
	}
}

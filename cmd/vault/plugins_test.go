package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/lmsvault/vault/cmd/vault/stagecmd"
)

// unpinned is the plugin of testdata/workshop, built once.
var unpinned = sync.OnceValues(func() (string, error) {
	path := filepath.Join(filepath.Dir(program), "workshop")
	cmd := exec.Command("go", "build", "-o", path, "./testdata/workshop")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the plugin: %w\n%s", err, out)
	}
	return path, nil
})

// workshop returns a directory with bin/mystore and a pipeline file that uses it.
func workshop(t *testing.T, text string) (dir, file string) {
	t.Helper()
	built, err := unpinned()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	binary, err := os.ReadFile(built)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, "p.yaml")
	for path, content := range map[string][]byte{filepath.Join(dir, "bin/mystore"): binary, file: []byte(text)} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir, file
}

const plugged = `version: 1
source: [{use: sample, with: {files: false}}]
transform: [{use: compress}]
sink: [{use: ./bin/mystore, with: {folder: "${dir}/r"}}]
`

// A plugin in development can be used by path, from any directory: by run, lint and plan,
// and by commands on its repository, which take the pipeline file.
func TestPluginIsUsedByPath(t *testing.T) {
	dir, file := workshop(t, plugged)
	set := []string{"--set", "dir=" + dir}
	unpinned := file + ":4:14: warning: plugin mystore runs unpinned from its path, which is for development: vault plugin install pins it\n"
	if o := vault(t, 0, nil, append(set, "lint", file)...); o.stdout != unpinned {
		t.Errorf("lint prints %s%s", o.stdout, o.stderr)
	}
	vault(t, 0, nil, append(set, "init-repository", file)...)
	vault(t, 0, nil, append(set, "plan", file)...)
	if o := vault(t, 0, nil, append(set, "run", file)...); !strings.Contains(o.stderr, unpinned) {
		t.Errorf("run prints %s", o.stderr)
	}
	for _, command := range [][]string{{"verify", file}, {"show", file}, {"ls", file}, {"cat", file, "db/config"}} {
		vault(t, 0, nil, append(set, command...)...)
	}
	if o := vault(t, 0, nil, append(set, "snapshots", file, "--json")...); !strings.Contains(o.stdout, `"pipeline": "p"`) {
		t.Errorf("snapshots are %s", o.stdout)
	}
	vault(t, 0, nil, "verify", filepath.Join(dir, "r")) // built-in stages can read the repository
}

// The settings of a plugin are checked like those of built-in stages, and by the plugin.
func TestInvalidPluginSettingsHavePosition(t *testing.T) {
	for with, want := range map[string]string{
		"{folder: /x, color: red}":               `:4:48: error: unknown key "color": did you mean "colour"?`,
		"{folder: /x, colour: blue}":             `:4:56: error: colour must be one of red, green`,
		"{colour: red}":                          ":4:35: error: folder is missing: write folder: /srv/x",
		"{folder: /forbidden}":                   ":4:44: error: folder /forbidden is not for you",
		"{folder: /x, colour: green}":            ":4:35: error: green needs tags",
		"{folder: /x, snapshot: latest}":         `:4:48: error: unknown key "snapshot"`,
		"{folder: /x}, isolate: true, stall: 2h": "vault plugin install pins it",
	} {
		_, file := workshop(t, strings.Replace(plugged, `{folder: "${dir}/r"}`, with, 1))
		o := call{args: []string{"lint", file}}.run(t)
		if !strings.Contains(o.stdout, want) {
			t.Errorf("%s: lint prints\n%swant %s", with, o.stdout, want)
		}
	}
}

func TestPathWithoutPluginIsExplained(t *testing.T) {
	dir, _ := workshop(t, plugged)
	for use, want := range map[string]string{
		"./bin/nothing":      "no plugin at ./bin/nothing: paths are relative to the directory of the pipeline file",
		"./bin":              "is not a program: not a regular file",
		"./text":             "can't be executed; run chmod 0755 on it",
		"./open":             "is writable by its group and others (mode 0777); run chmod go-w ",
		"./shared/mystore":   "shared is writable by its group (mode 0775); run chmod go-w ",
		"./script":           "plugin script",
		"./bin/mystore:none": "plugin mystore has no stage none of role sink; it has mystore (storage), flip (transform)",
		"./bin/mystore:flip": "plugin mystore has no stage flip of role sink",
	} {
		for name, mode := range map[string]os.FileMode{"text": 0o644, "open": 0o777, "script": 0o755, "shared/mystore": 0o755} {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if name == "shared/mystore" {
				if err := os.Chmod(filepath.Dir(path), 0o775); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(path, []byte("#!/bin/sh\necho hello\n"), mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
		}
		file := filepath.Join(dir, "p.yaml")
		if err := os.WriteFile(file, []byte(strings.Replace(plugged, "./bin/mystore", use, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		o := vault(t, 2, nil, "lint", file)
		if !strings.Contains(o.stdout, file+":4:14: error: ") || !strings.Contains(o.stdout, want) || strings.Contains(o.stdout, "no stage \"") {
			t.Errorf("%s: lint prints\n%swant %s", use, o.stdout, want)
		}
	}
}

func TestStagesDescribesPluginByPath(t *testing.T) {
	dir, _ := workshop(t, plugged)
	path := filepath.Join(dir, "bin/mystore")
	o := vault(t, 0, nil, "stages", path)
	for _, want := range []string{"plugin mystore 1.2.3\n", "mystore (storage)\n\nKeeps objects in a folder.\n", "flip (transform)\n", "  colour (text, one of red, green, default red)\n      of the objects\n"} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("no %q in\n%s", want, o.stdout)
		}
	}
	var found []stagecmd.Described
	if o := vault(t, 0, nil, "stages", path+":flip", "--json"); json.Unmarshal([]byte(o.stdout), &found) != nil || len(found) != 1 || found[0].Name != "flip" {
		t.Errorf("the JSON is %s", o.stdout)
	}
	vault(t, 2, nil, "stages", path+":none")
	vault(t, 2, nil, "stages", path+"2")
}

// A pipeline file with several storages is ambiguous.
func TestPipelineFileMustNameOneRepository(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		"sink: [{use: sqlite, with: {path: /x}}]":                                            "has no storage",
		"sink: [{use: local, with: {dir: /x}}, {use: local, with: {dir: /y}}]":               "has 2 storages",
		"sink: [{use: local, with: {dri: /x}}]":                                              "unknown key",
		"sink: [{use: local, with: {dir: \"" + dir + "/nowhere\"}}]":                         "repository",
		"transform: [{use: compress}]\nsink: [{use: local, with: {dir: \"${env:NOBODY}\"}}]": "variable NOBODY is not set",
	} {
		file := written(t, "p.yml", "version: 1\nsource: [{use: sample, with: {files: false}}]\n"+text+"\n")
		o := call{args: []string{"snapshots", file}}.run(t)
		if o.code == 0 || !strings.Contains(o.stderr, want) {
			t.Errorf("%s: exit %d: %s", text, o.code, o.stderr)
		}
	}
}

// A pipeline that reads a repository also provides its keys.
func TestPipelineFileProvidesRepositoryKeys(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	vault(t, 0, []string{"LMSVAULT_PASSPHRASE=only a demo"}, "demo", "--dir", dir)
	read := written(t, "read.yaml", "version: 1\nsource: [{use: local, with: {dir: "+dir+"/repository, passphrase: \"${env:WORD}\"}}]\nsink: [{use: sqlite, with: {path: /x}}]\n")
	vault(t, 0, []string{"WORD=only a demo"}, "verify", read)
	if o := vault(t, 3, []string{"WORD=another"}, "verify", read); !strings.Contains(o.stderr, "wrong passphrase") {
		t.Errorf("got %s", o.stderr)
	}
	write := written(t, "write.yaml", "version: 1\nsource: [{use: sample}]\nsink: [{use: local, with: {dir: "+dir+"/repository, create: true}}]\n")
	vault(t, 0, []string{"LMSVAULT_PASSPHRASE=only a demo"}, "ls", write)
	vault(t, 3, nil, "ls", write)
}

func TestServeStartedByHandExplainsItself(t *testing.T) {
	if o := vault(t, 0, nil, "plugin", "serve"); !strings.Contains(o.stdout, "isolate: true") {
		t.Errorf("got %s", o.stdout)
	}
	if o := vault(t, 2, nil, "plugin", "nosuch"); !strings.Contains(o.stderr, "nosuch") {
		t.Errorf("got %s", o.stderr)
	}
}

// An installed plugin is known by name: in lists, help and the schema, and when opening a
// repository that was written with its transform.
func TestCommandsKnowInstalledPlugin(t *testing.T) {
	dir, file := workshop(t, `version: 1
source: [{use: sample, with: {files: false}}]
transform: [{use: compress}, {use: flip}]
sink: [{use: mystore, with: {folder: "${dir}/r"}}]
`)
	before := vault(t, 2, nil, "lint", file)
	if !strings.Contains(before.stdout, "error: no sink stage of this name: ") || !strings.Contains(before.stdout, "vault plugin install") {
		t.Errorf("before, lint prints %s", before.stdout)
	}
	vault(t, 0, nil, "plugin", "install", filepath.Join(dir, "bin/mystore"), "--pipelines", dir)
	if o := vault(t, 0, nil, "stages", "--pipelines", dir); !strings.Contains(strings.Join(strings.Fields(o.stdout), " "), "storage mystore Keeps objects in a folder.") || !strings.Contains(o.stdout, "compress") {
		t.Errorf("the list is\n%s", o.stdout)
	}
	if o := vault(t, 0, nil, "stages", "flip", "--pipelines", dir); !strings.Contains(o.stdout, "Turns bits around.") {
		t.Errorf("flip is described as %s", o.stdout)
	}
	if o := vault(t, 0, nil, "schema", "--pipelines", dir); !strings.Contains(o.stdout, `"const": "mystore"`) || !strings.Contains(o.stdout, `"colour"`) {
		t.Error("the schema doesn't know mystore")
	}
	set := []string{"--set", "dir=" + dir}
	for _, command := range []string{"lint", "init-repository", "plan", "run", "verify"} {
		if o := vault(t, 0, nil, append(set, command, file)...); strings.Contains(o.stderr+o.stdout, "warning") {
			t.Errorf("%s prints %s%s", command, o.stdout, o.stderr)
		}
	}
	if o := vault(t, 3, nil, "verify", filepath.Join(dir, "r")); !strings.Contains(o.stderr, `the transform "flip"`) || !strings.Contains(o.stderr, "vault plugin install") {
		t.Errorf("without the plugin: got %s", o.stderr)
	}
	pinned, err := filepath.Glob(filepath.Join(dir, "vault-plugins", "*"))
	if err != nil || len(pinned) != 1 {
		t.Fatal(pinned, err)
	}
	f, err := os.OpenFile(pinned[0], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("changed"); err != nil {
		t.Fatal(err)
	}
	closed(t, f)
	o := vault(t, 2, nil, append(set, "lint", file)...)
	if strings.Count(o.stdout, "refused: ") != 2 || !strings.Contains(o.stdout, file+":4:14: error: plugin mystore is installed but refused") || strings.Contains(o.stdout, "no stage") {
		t.Errorf("changed plugin: lint prints %s", o.stdout)
	}
	if o := vault(t, 3, nil, "stages", "mystore", "--pipelines", dir); strings.Contains(o.stderr, "warning") || strings.Contains(o.stderr, "no stage") {
		t.Errorf("changed plugin: stages prints %s", o.stderr)
	} else {
		says(t, o.stderr, "plugin mystore is installed but refused", "is not the pinned file")
	}
	if o := vault(t, 0, nil, "stages", "--pipelines", dir); !strings.Contains(o.stderr, "refused") || strings.Contains(o.stdout, "mystore") {
		t.Errorf("changed plugin: list prints %s%s", o.stdout, o.stderr)
	}
}

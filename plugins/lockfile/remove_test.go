package lockfile_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/plugins/lockfile"
)

func TestRemoveDeletesEntryAndFile(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, mystore("1.0.0").file(t))
	file := install(t, dir, build{Name: "bad", Version: "1.0.0", Storages: []string{"worse"}}.file(t)).Pin.Path
	write(t, "changed, so it is refused", dir, file)
	p, err := lockfile.Remove(t.Context(), dir, "bad")
	if err != nil || p.Version != "1.0.0" {
		t.Fatal(p, err)
	}
	if got := files(t, dir); !slices.Equal(got, []string{"mystore-1.0.0-" + platform}) {
		t.Errorf("the directory has %q", got)
	}
	if f := load(t, dir); len(f.Plugins) != 1 || f.Plugins[0].Name != "mystore" {
		t.Errorf("the lock file has %v", f.Plugins)
	}
	if _, err := program(t, dir); err != nil {
		t.Error(err)
	}
}

func TestRemoveKeepsForeignFiles(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, mystore("1.0.0").file(t))
	write(t, "version: 1\n", dir, "nightly.yaml")
	edit(t, dir, "vault-plugins/mystore-1.0.0-"+platform, "nightly.yaml")
	if _, err := lockfile.Remove(t.Context(), dir, "mystore"); err != nil {
		t.Fatal(err)
	}
	read(t, dir, "nightly.yaml")
}

func TestUnknownPluginGivesSuggestion(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, build{Name: "mystore", Version: "1.0.0", Storages: []string{"bucket"}}.file(t))
	write(t, "", dir, lockfile.Folder, "other-1.0.0")
	for name, says := range map[string]string{
		"mystor": `did you mean "mystore"?`,
		"bucket": "it is a stage of plugin mystore",
		"other":  "vault-plugins/other-1.0.0 exists but is not pinned in vault.lock.yaml, so it is never run",
		"zzzzzz": "vault plugin list shows",
	} {
		_, err := lockfile.Remove(t.Context(), dir, name)
		if failure.Of(err) != failure.Usage {
			t.Error(err)
		}
		said(t, err, says)
	}
}

func TestStraysAreListedAndNeverRun(t *testing.T) {
	dir, trace := t.TempDir(), filepath.Join(t.TempDir(), "trace")
	install(t, dir, mystore("1.0.0").file(t))
	stray := filepath.Join(lockfile.Folder, "aaa-1.0.0-"+platform)
	move(t, script(t, "touch "+trace), filepath.Join(dir, stray))
	strays, err := load(t, dir).Strays()
	if err != nil || !slices.Equal(strays, []string{stray}) {
		t.Errorf("%q, %v", strays, err)
	}
	install(t, dir, mystore("1.1.0").file(t))
	if _, err := program(t, dir); err != nil {
		t.Error(err)
	}
	if _, err := lockfile.Remove(t.Context(), dir, "mystore"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(trace); err == nil {
		t.Error("the stray was run")
	}
	if strays, err := load(t, t.TempDir()).Strays(); err != nil || strays != nil {
		t.Errorf("%q, %v", strays, err)
	}
}

func TestUsersArePipelinesThatUseStage(t *testing.T) {
	dir := t.TempDir()
	p := install(t, dir, build{Name: "mine", Version: "1.0.0", Storages: []string{"mystore"}}.file(t)).Plugin
	write(t, "version: 1\nsource: [{use: mysql, with: {dsn: x}}]\nsink: [{use: mystore}]\n", dir, "nightly.yaml")
	write(t, "version: 1\nsource: [{use: mystore}]\nsink: [{use: mysql}]\n", dir, "restore.yml")
	write(t, "version: 1\nsource: [{use: mysql}]\ntransform: [{use: mystore}]\n", dir, "other.yaml")
	write(t, "sink: mystore", dir, "not-a-pipeline.yaml")
	write(t, "sink: [{use: mystore}]", dir, "notes.txt")
	users, err := load(t, dir).Users(p)
	if err != nil || !slices.Equal(users, []string{"nightly.yaml", "restore.yml"}) {
		t.Errorf("%q, %v", users, err)
	}
}

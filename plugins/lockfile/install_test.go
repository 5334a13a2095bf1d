package lockfile_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/lockfile"
)

var platform = runtime.GOOS + "-" + runtime.GOARCH

func digest(t testing.TB, file string) string {
	sum := sha256.Sum256([]byte(read(t, file)))
	return hex.EncodeToString(sum[:])
}

func TestInstallCopiesAndPins(t *testing.T) {
	dir, file := t.TempDir(), mystore("1.2.0").file(t)
	done := install(t, dir, file)
	if done.Before != "" || done.Same || done.Plugin.Version != "1.2.0" {
		t.Errorf("installed %+v", done)
	}
	want := `version: 1
plugins:
  - name: mystore
    version: 1.2.0
    protocol: 1
    sdk: go
    stages:
      - storage mystore
    files:
      - platform: ` + runtime.GOOS + "/" + runtime.GOARCH + `
        path: vault-plugins/mystore-1.2.0-` + platform + `
        sha256: ` + digest(t, file) + `
        pinned: "2026-03-01T12:30:15Z"
`
	text := read(t, dir, lockfile.Name)
	head, body, _ := strings.Cut(text, "version: 1\n")
	body = "version: 1\n" + body
	for line := range strings.Lines(body) { // the version of the SDK depends on the build
		if strings.HasPrefix(line, "    sdk: ") {
			body = strings.Replace(body, line, "    sdk: go\n", 1)
		}
	}
	if body != want || !strings.Contains(head, "Keep this file in version control") {
		t.Errorf("lock file is\n%s", text)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	p, err := program(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(p.Path) || p.Name != "mystore" || p.SHA256 != digest(t, p.Path) {
		t.Errorf("program is %+v", p)
	}
	info, err := os.Stat(p.Path)
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	d, err := options(t).Describe(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	found, _ := load(t, dir).Plugin("mystore")
	if err := found.Accept(d); err != nil {
		t.Error(err)
	}
}

func TestStorageIsFoundAsSourceAndSink(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, mystore("1.0.0").file(t))
	f := load(t, dir)
	for role, want := range map[stage.Role]bool{stage.RoleSource: true, stage.RoleSink: true, stage.RoleTransform: false} {
		if _, ok := f.Find(role, "mystore"); ok != want {
			t.Errorf("as %s: %v", role, ok)
		}
	}
	if _, ok := load(t, t.TempDir()).Find(stage.RoleSink, "mystore"); ok {
		t.Error("found a plugin without a lock file")
	}
}

func TestHigherVersionReplacesLower(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, mystore("1.9.0").file(t))
	if done := install(t, dir, mystore("1.10.0").file(t)); done.Before != "1.9.0" {
		t.Errorf("installed %+v", done)
	}
	if got := files(t, dir); !slices.Equal(got, []string{"mystore-1.10.0-" + platform}) {
		t.Errorf("the directory has %q", got)
	}
	if _, err := program(t, dir); err != nil {
		t.Error(err)
	}
}

func TestLowerVersionNeedsReplace(t *testing.T) {
	dir, o := t.TempDir(), options(t)
	install(t, dir, mystore("1.0.0").file(t))
	before := read(t, dir, lockfile.Name)
	_, err := lockfile.Install(t.Context(), dir, mystore("1.0.0-rc.1").file(t), o)
	refused(t, err, "mystore 1.0.0-rc.1", "newer 1.0.0", "--replace")
	if read(t, dir, lockfile.Name) != before || len(files(t, dir)) != 1 {
		t.Errorf("something was changed: %q\n%s", files(t, dir), read(t, dir, lockfile.Name))
	}
	o.Replace = true
	if done := installWith(t, dir, mystore("1.0.0-rc.1").file(t), o); done.Before != "1.0.0" {
		t.Errorf("installed %+v", done)
	}
}

func TestOtherFileOfSameVersionNeedsReplace(t *testing.T) {
	dir, o := t.TempDir(), options(t)
	first := mystore("1.0.0")
	other := first
	other.Note = "built again"
	one, two := first.file(t), other.file(t)
	install(t, dir, one)
	_, err := lockfile.Install(t.Context(), dir, two, o)
	refused(t, err, digest(t, one), digest(t, two), "2026-03-01", "--replace")
	o.Replace = true
	installWith(t, dir, two, o)
	if p, err := program(t, dir); err != nil || p.SHA256 != digest(t, two) {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestReinstallRepairs(t *testing.T) {
	dir, file := t.TempDir(), mystore("1.0.0").file(t)
	done := install(t, dir, file)
	before := read(t, dir, lockfile.Name)
	if err := os.Remove(filepath.Join(dir, done.Pin.Path)); err != nil {
		t.Fatal(err)
	}
	o := options(t)
	o.Now = o.Now.AddDate(0, 1, 0)
	if done := installWith(t, dir, file, o); !done.Same {
		t.Errorf("installed %+v", done)
	}
	if after := read(t, dir, lockfile.Name); after != before {
		t.Errorf("the lock file was changed:\n%s", after)
	}
	if _, err := program(t, dir); err != nil {
		t.Error(err)
	}
}

func TestOtherPlatformKeepsPinUntilNextVersion(t *testing.T) {
	dir, file := t.TempDir(), mystore("1.0.0").file(t)
	install(t, dir, file)
	elsewhere := strings.NewReplacer("platform: "+lockfile.Platform(), "platform: plan9/mips", platform, "plan9-mips")
	write(t, elsewhere.Replace(read(t, dir, lockfile.Name)), dir, lockfile.Name)
	_, err := program(t, dir)
	refused(t, err, "plan9/mips", "this is "+lockfile.Platform(), "vault plugin install")
	if done := install(t, dir, file); len(done.Plugin.Pins) != 2 || done.Dropped != nil {
		t.Errorf("installed %+v", done)
	}
	if done := install(t, dir, mystore("1.1.0").file(t)); len(done.Plugin.Pins) != 1 || !slices.Equal(done.Dropped, []string{"plan9/mips"}) {
		t.Errorf("installed %+v", done)
	}
}

func TestTakenStageNamesAreRefused(t *testing.T) {
	dir := t.TempDir()
	_, err := lockfile.Install(t.Context(), dir, build{Name: "mine", Version: "1.0.0", Storages: []string{"local"}}.file(t), options(t))
	refused(t, err, "storage local has the same name as the built-in storage local")
	install(t, dir, mystore("1.0.0").file(t))
	_, err = lockfile.Install(t.Context(), dir, build{Name: "another", Version: "2.0.0", Storages: []string{"fine", "mystore"}}.file(t), options(t))
	refused(t, err, "storage mystore of plugin mystore 1.0.0", "vault plugin remove mystore")
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("the directory has %q", got)
	}
}

func TestFileWithWrongDigestIsNotRun(t *testing.T) {
	dir, trace := t.TempDir(), filepath.Join(t.TempDir(), "trace")
	file, o := script(t, "touch "+trace), options(t)
	o.SHA256 = strings.Repeat("0", 64)
	_, err := lockfile.Install(t.Context(), dir, file, o)
	refused(t, err, o.SHA256, digest(t, file), "was neither run nor installed")
	if _, err := os.Stat(trace); err == nil {
		t.Error("the file was run")
	}
	if got := files(t, dir); len(got) != 0 {
		t.Errorf("the directory has %q", got)
	}
	good := mystore("1.0.0").file(t)
	o.SHA256 = strings.ToUpper(digest(t, good))
	installWith(t, dir, good, o)
	o.SHA256 = "abc"
	if _, err := lockfile.Install(t.Context(), dir, good, o); failure.Of(err) != failure.Usage {
		t.Error(err)
	}
}

func TestNonPluginsAreNotInstalled(t *testing.T) {
	plain := script(t, "exit 0")
	chmod(t, 0o644, plain)
	for _, c := range []struct {
		file  string
		class failure.Class
		says  []string
	}{
		{script(t, "echo of no use >&2; exit 1"), failure.Failed, []string{"can't be used as a plugin", "of no use"}},
		{script(t, "exit 0"), failure.Failed, []string{"script a Vault plugin?"}},
		{sized(t, 1<<30+1), failure.Usage, []string{"is larger than 1 GiB"}},
		{script(t, "echo '1|9|unix|/nowhere|grpc'; cat"), failure.Refused, []string{"version 9 of the protocol", "this vault version 1", "newer vault"}},
		{plain, failure.Refused, []string{"not executable (mode 0644)", "chmod +x " + plain}},
		{t.TempDir(), failure.Usage, []string{"is a directory"}},
		{filepath.Join(t.TempDir(), "nothing"), failure.Usage, []string{"no such file"}},
		{"/dev/null", failure.Usage, []string{"not a regular file"}},
	} {
		dir := t.TempDir()
		_, err := lockfile.Install(t.Context(), dir, c.file, options(t))
		if failure.Of(err) != c.class {
			t.Errorf("class %d, want %d: %v", failure.Of(err), c.class, err)
		}
		said(t, err, c.says...)
		if _, err := os.Stat(filepath.Join(dir, lockfile.Name)); err == nil {
			t.Errorf("%s is in the lock file", c.file)
		}
		if _, err := os.Stat(filepath.Join(dir, lockfile.Folder)); err == nil {
			t.Errorf("%s created the plugin directory", c.file)
		}
		if err != nil && strings.Contains(err.Error(), "temporary") {
			t.Errorf("the error names the removed copy: %v", err)
		}
		if strays, err := load(t, dir).Strays(); err != nil || len(strays) > 0 {
			t.Errorf("remaining: %q, %v", strays, err)
		}
	}
}

// sized makes a sparse executable file.
func sized(t testing.TB, size int64) string {
	t.Helper()
	path := script(t, "")
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestInstallCanBeInterrupted(t *testing.T) {
	dir, o := t.TempDir(), options(t)
	file := mystore("1.0.0").file(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lockfile.Install(ctx, dir, file, o); failure.Of(err) != failure.Interrupted || !strings.Contains(err.Error(), "copying "+file) {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, lockfile.Folder)); err == nil {
		t.Error("the plugin directory remains")
	}
}

func TestConcurrentInstallsKeepEntries(t *testing.T) {
	dir := t.TempDir()
	const n = 5
	var all sync.WaitGroup
	for i := range n {
		name := fmt.Sprintf("store-%d", i)
		file, o := build{Name: name, Version: "1.0.0", Storages: []string{name}}.file(t), options(t)
		all.Go(func() {
			if _, err := lockfile.Install(t.Context(), dir, file, o); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	f := load(t, dir)
	if len(f.Plugins) != n || len(files(t, dir)) != n {
		t.Fatalf("%d plugins, files %q", len(f.Plugins), files(t, dir))
	}
	for _, p := range f.Plugins {
		if _, err := p.Program(); err != nil {
			t.Error(err)
		}
	}
}

func TestRemainsOfKilledInstallAreRemoved(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, mystore("1.0.0").file(t))
	const name = ".vault-temporary-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	write(t, "half", dir, name)
	write(t, "half", dir, lockfile.Folder, name)
	write(t, "mine", dir, ".vault-temporary-notes.txt") // not named by Vault
	install(t, dir, mystore("1.0.1").file(t))
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 || len(files(t, dir)) != 1 {
		t.Errorf("%v, %v, %q", entries, err, files(t, dir))
	}
}

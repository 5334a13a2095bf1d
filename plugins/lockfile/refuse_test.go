package lockfile_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/machine"
	"github.com/lmsvault/vault/plugins/host"
	"github.com/lmsvault/vault/plugins/lockfile"
)

// Every reason to refuse an installed plugin, and the message for it.
func TestRefusalsStateReasonAndRemedy(t *testing.T) {
	original := t.TempDir()
	pin := install(t, original, mystore("1.0.0").file(t)).Pin
	for name, c := range map[string]struct {
		spoil func(t *testing.T, dir, file string)
		says  []string // with placeholders DIR and FILE
	}{
		"a changed file": {func(t *testing.T, _, file string) {
			write(t, "something else", file)
		}, []string{"FILE is not the pinned file", pin.SHA256, "2026-03-01", "--replace"}},
		"a missing file": {func(t *testing.T, _, file string) {
			remove(t, file)
		}, []string{"vault.lock.yaml pins FILE, which does not exist; install it again"}},
		"a missing directory": {func(t *testing.T, dir, _ string) {
			if err := os.RemoveAll(filepath.Join(dir, lockfile.Folder)); err != nil {
				t.Fatal(err)
			}
		}, []string{"vault.lock.yaml pins FILE, which does not exist; install it again"}},
		"a file writable by its group": {func(t *testing.T, _, file string) {
			chmod(t, 0o775, file)
		}, []string{"FILE is writable by its group (mode 0775); run chmod go-w FILE"}},
		"a file writable by all": {func(t *testing.T, _, file string) {
			chmod(t, 0o777, file)
		}, []string{"FILE is writable by its group and others (mode 0777); run chmod go-w FILE"}},
		"a plugin directory writable by all": {func(t *testing.T, dir, _ string) {
			chmod(t, 0o757, dir, lockfile.Folder)
		}, []string{"DIR/vault-plugins is writable by others (mode 0757); run chmod go-w DIR/vault-plugins"}},
		"a pipeline directory writable by its group": {func(t *testing.T, dir, _ string) {
			chmod(t, 0o775, dir)
		}, []string{"DIR is writable by its group (mode 0775); run chmod go-w DIR"}},
		"a lock file writable by all": {func(t *testing.T, dir, _ string) {
			chmod(t, 0o646, dir, lockfile.Name)
		}, []string{"DIR/vault.lock.yaml is writable by others (mode 0646); run chmod go-w DIR/vault.lock.yaml"}},
		"a file that is not executable": {func(t *testing.T, _, file string) {
			chmod(t, 0o644, file)
		}, []string{"FILE is not executable (mode 0644); run chmod 0755 FILE"}},
		"a symlink instead of the file": {func(t *testing.T, _, file string) {
			move(t, file, file+".real")
			link(t, file+".real", file)
		}, []string{"FILE: it is a symbolic link"}},
		"a symlink instead of the directory": {func(t *testing.T, dir, _ string) {
			move(t, filepath.Join(dir, lockfile.Folder), filepath.Join(dir, "real"))
			link(t, "real", filepath.Join(dir, lockfile.Folder))
		}, []string{"DIR/vault-plugins is a symbolic link"}},
		"a directory instead of the file": {func(t *testing.T, _, file string) {
			remove(t, file)
			if err := os.Mkdir(file, 0o755); err != nil {
				t.Fatal(err)
			}
		}, []string{"FILE: it is a directory"}},
		"a newer protocol": {func(t *testing.T, dir, _ string) {
			edit(t, dir, "protocol: 1", "protocol: 2")
		}, []string{"it uses version 2 of the protocol, this vault version 1", "newer vault"}},
		"another platform": {func(t *testing.T, dir, _ string) {
			edit(t, dir, lockfile.Platform(), "plan9/mips")
		}, []string{"pins it only for plan9/mips, but this is " + lockfile.Platform()}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(original)); err != nil {
				t.Fatal(err)
			}
			chmod(t, 0o755, dir)
			file := filepath.Join(dir, pin.Path)
			chmod(t, 0o755, file)
			if _, err := program(t, dir); err != nil {
				t.Fatalf("before any change: %v", err)
			}
			c.spoil(t, dir, file)
			_, err := program(t, dir)
			refused(t, err, "plugin mystore is installed but refused: ")
			for _, s := range c.says {
				said(t, err, strings.NewReplacer("DIR", dir, "FILE", file).Replace(s))
			}
		})
	}
}

func TestFilesOfOtherUsersAreRefused(t *testing.T) {
	machine.Root(t, "give files away")
	dir := t.TempDir()
	file := filepath.Join(dir, install(t, dir, mystore("1.0.0").file(t)).Pin.Path)
	for _, path := range []string{file, filepath.Dir(file), filepath.Join(dir, lockfile.Name), dir} {
		if err := os.Chown(path, 4242, -1); err != nil {
			t.Fatal(err)
		}
		_, err := program(t, dir)
		refused(t, err, path+" is owned by user 4242, not by root or the current user ("+strconv.Itoa(os.Geteuid())+")", "chown 0 "+path)
		if err := os.Chown(path, 0, -1); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRemediesQuotePaths(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "it's here")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	install(t, dir, mystore("1.0.0").file(t))
	chmod(t, 0o777, dir)
	_, err := program(t, dir)
	refused(t, err, `run chmod go-w '`+filepath.Dir(dir)+`/it'\''s here'`)
}

func TestProgramWithOtherDescriptionIsRefused(t *testing.T) {
	dir := t.TempDir()
	p := install(t, dir, mystore("1.0.0").file(t)).Plugin
	for _, d := range []host.Description{
		{Name: "mystore", Version: "1.0.1", Stages: described("mystore")},
		{Name: "other", Version: "1.0.0", Stages: described("mystore")},
		{Name: "mystore", Version: "1.0.0", Stages: described("mystore", "more")},
		{Name: "mystore", Version: "1.0.0", Stages: described("more")},
	} {
		refused(t, p.Accept(&d), "it describes itself as "+d.Name+" "+d.Version, "pins it as mystore 1.0.0 with storage mystore", "install it again")
	}
}

func described(storages ...string) []stage.Stage {
	var all []stage.Stage
	for _, name := range storages {
		all = append(all, stage.Stage{Info: stage.Info{Name: name, Role: stage.RoleStorage}})
	}
	return all
}

// Someone who can change the lock file or its directory could have changed what would be
// written again.
func TestUntrustedLockFileIsNotRewritten(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, mystore("1.0.0").file(t))
	before := read(t, dir, lockfile.Name)
	for _, path := range []string{lockfile.Name, ".", lockfile.Folder} {
		info, err := os.Stat(filepath.Join(dir, path))
		if err != nil {
			t.Fatal(err)
		}
		chmod(t, info.Mode().Perm()|0o022, dir, path)
		_, err = lockfile.Install(t.Context(), dir, mystore("1.1.0").file(t), options(t))
		refused(t, err, filepath.Join(dir, path)+" is writable by its group and others", "chmod go-w")
		if path != lockfile.Folder {
			_, err := lockfile.Remove(t.Context(), dir, "mystore")
			refused(t, err, "chmod go-w")
		}
		chmod(t, info.Mode().Perm(), dir, path)
	}
	if read(t, dir, lockfile.Name) != before {
		t.Error("the lock file was changed")
	}
}

func TestLockFileSymlinkIsNotRead(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, mystore("1.0.0").file(t))
	move(t, filepath.Join(dir, lockfile.Name), filepath.Join(dir, "real.yaml"))
	link(t, "real.yaml", filepath.Join(dir, lockfile.Name))
	_, err := lockfile.Load(dir)
	refused(t, err, lockfile.Name+" can't be used: it is a symbolic link")
	if _, err := lockfile.Load(filepath.Join(dir, "nothing")); failure.Of(err) != failure.Usage {
		t.Error(err)
	}
}

func remove(t testing.TB, file string) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

func move(t testing.TB, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func link(t testing.TB, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}

func edit(t testing.TB, dir, from, to string) {
	t.Helper()
	write(t, strings.Replace(read(t, dir, lockfile.Name), from, to, 1), dir, lockfile.Name)
}

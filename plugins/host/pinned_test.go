package host_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/plugins/host"
)

// The file that was checked is executed, whether a program or a script.
func TestPinnedProgramRuns(t *testing.T) {
	h, _ := rogueHost(t, time.Minute)
	p := pinned(t, copied(t))
	s := mustOpen(t, h, p, rogueConfig{})
	if got := ask(t, s, "command"); got != "test" {
		t.Errorf("the command line is %q", got)
	}
	script := filepath.Join(t.TempDir(), "plugin")
	write(t, script, "#!/bin/sh\nexec "+self(t).Path+"\n", 0o700)
	if first, second := ask(t, s, "pid"), ask(t, mustOpen(t, h, pinned(t, script), rogueConfig{}), "pid"); first == second {
		t.Error("the script did not run")
	}
}

// A program that was changed, or that others can change, is not started.
func TestChangedProgramIsRefused(t *testing.T) {
	h, _ := rogueHost(t, time.Minute)
	refused := func(p host.Program, parts ...string) {
		t.Helper()
		_, err := open(t, h, p, rogueConfig{})
		says(t, err, append([]string{"plugin test was not started: "}, parts...)...)
		if failure.Of(err) != failure.Refused {
			t.Errorf("class is %v", failure.Of(err))
		}
	}
	p := pinned(t, copied(t))
	was := p.SHA256
	write(t, p.Path, "#!/bin/sh\ntouch "+p.Path+".ran\n", 0o700)
	refused(p, p.Path+" has changed since it was installed", pinned(t, p.Path).SHA256, was, "install it again")
	if _, err := os.Stat(p.Path + ".ran"); err == nil {
		t.Error("the program was started")
	}
	p = pinned(t, p.Path)
	chmod(t, p.Path, 0o722)
	refused(p, ""+p.Path+" is writable by others (mode 0722)", "chmod go-w")
	chmod(t, p.Path, 0o700)
	chmod(t, filepath.Dir(p.Path), 0o770)
	refused(p, ""+filepath.Dir(p.Path)+" is writable by others (mode 0770)")
	if os.Geteuid() != 0 {
		return // only root can give files away
	}
	chmod(t, filepath.Dir(p.Path), 0o700)
	for _, path := range []string{p.Path, filepath.Dir(p.Path)} {
		give(t, path, 4242)
		refused(p, path+" is owned by user 4242, not by root or the current user (0)", "chown")
		give(t, path, 0)
	}
}

func give(t testing.TB, path string, uid int) {
	t.Helper()
	if err := os.Chown(path, uid, -1); err != nil {
		t.Fatal(err)
	}
}

// copied returns a copy of the test binary in a directory of its own.
func copied(t testing.TB) string {
	t.Helper()
	content, err := os.ReadFile(self(t).Path)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "plugin")
	write(t, path, string(content), 0o700)
	return path
}

func pinned(t testing.TB, path string) host.Program {
	t.Helper()
	chmod(t, filepath.Dir(path), 0o700)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	return host.Program{Name: "test", Path: path, SHA256: hex.EncodeToString(sum[:])}
}

func write(t testing.TB, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	chmod(t, path, mode)
}

func chmod(t testing.TB, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

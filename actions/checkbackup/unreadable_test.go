package checkbackup_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lmsvault/vault/actions/checkbackup"
	"github.com/lmsvault/vault/core/stage"
)

// dirVariable names the directory that the test's second process examines.
const dirVariable = "VAULT_TEST_CHECK_DIR"

// Root can read everything, so the test runs again as another user.
func TestUnreadablePathsAreFound(t *testing.T) {
	if dir := os.Getenv(dirVariable); dir != "" {
		examine(t, dir)
		return
	}
	dir, err := os.MkdirTemp("/tmp", "unreadable-") // which every user can reach
	if err != nil {
		t.Fatal(err)
	}
	s := &small{root: dir}
	t.Cleanup(func() {
		if err := os.Chmod(filepath.Join(dir, "closed"), 0o700); err != nil {
			t.Error(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	for _, path := range []string{"filedir/aa/bb/locked", "filedir/aa/bb/fine", "lang/fine", "closed/in", "cache/locked"} {
		s.file(t, path, "x")
		if err := os.Chmod(filepath.Join(dir, path), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for path, mode := range map[string]os.FileMode{
		".": 0o755, "filedir": 0o755, "filedir/aa": 0o755, "filedir/aa/bb": 0o755, "lang": 0o755, "cache": 0o755,
		"filedir/aa/bb/locked": 0, "cache/locked": 0, "closed": 0,
	} {
		if err := os.Chmod(filepath.Join(dir, path), mode); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getuid() != 0 {
		examine(t, dir)
		return
	}
	program := filepath.Join(dir, "lang", "test")
	data, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(program, 0o755); err != nil { // whatever the umask is
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Dir, cmd.Env = "/", []string{dirVariable + "=" + dir, "TMPDIR=/tmp"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as another user: %v\n%s", err, out)
	}
}

// examine checks the directory. Caches are not backed up, so that what is there does not
// matter.
func examine(t *testing.T, dir string) {
	s := &small{root: dir}
	s.Engine, s.Path = "sqlite", "/nowhere"
	want(t, s.check(t, "unreadable-paths", checkbackup.Config{}, nil), "fail cannot be read @filedir/aa/bb/locked", "fail cannot be read @dataroot/closed")
	want(t, s.check(t, "unreadable-paths", checkbackup.Config{Accept: []string{"unreadable_file=2"}}, nil), "note cannot be read @filedir/aa/bb/locked", "note cannot be read @dataroot/closed")
	plan := &stage.Plan{Facts: map[string]string{stage.SelectionFact: `{"exclude_files":["filedir/aa/bb","dataroot/closed"]}`}}
	want(t, s.check(t, "unreadable-paths", checkbackup.Config{}, plan), "ok unreadable files and directories: no problems found")
}

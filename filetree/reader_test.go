package filetree_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
)

// log is a FileWriter that records its calls and lets a test act in between.
type log struct {
	calls   []string
	content []byte
	losses  []stage.Loss
	onWrite func(n int)
	writes  int
	printed stage.Entry
}

func (l *log) note(format string, args ...any) error {
	l.calls = append(l.calls, fmt.Sprintf(format, args...))
	return nil
}
func (l *log) Open(_ context.Context, e stage.Entry) error {
	l.content, l.printed = nil, e
	return l.note("open")
}
func (l *log) Write(_ context.Context, data []byte) error {
	l.content = append(l.content, data...)
	if l.writes++; l.onWrite != nil {
		l.onWrite(l.writes)
	}
	return nil
}
func (l *log) Close(_ context.Context, d stage.Digest) error {
	if d.Bytes != int64(len(l.content)) || d.SHA256 != fmt.Sprintf("%x", sha256.Sum256(l.content)) {
		return fmt.Errorf("digest %+v of %d bytes", d, len(l.content))
	}
	return l.note("close")
}
func (l *log) Same(context.Context, stage.Entry) error { return l.note("same") }
func (l *log) Drop(context.Context) error              { return l.note("drop") }
func (l *log) Loss(_ context.Context, x stage.Loss) error {
	l.losses = append(l.losses, x)
	return l.note("%s", x.Kind)
}

func (l *log) want(t *testing.T, calls string) {
	t.Helper()
	if got := strings.Join(l.calls, " "); got != calls {
		t.Errorf("calls %q, want %q; losses %+v", got, calls, l.losses)
	}
}

// read passes the file name in dir to l.
func read(t *testing.T, dir, name string, l *log) {
	t.Helper()
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer func() { must(t, root.Close()) }()
	r := &filetree.Reader{Hash: sha256.New, Out: l, Digest: func(n int64, sum string) stage.Digest { return stage.Digest{Bytes: n, SHA256: sum} }}
	must(t, r.File(t.Context(), filetree.Found{Dir: root, Name: name, Path: "dataroot/" + name}))
}

// committed commits a unit.
func committed(t testing.TB, u stage.FileUnit) *stage.Receipt {
	t.Helper()
	r, err := u.Commit(t.Context())
	must(t, err)
	return r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func file(t testing.TB, path string, size int) string {
	t.Helper()
	must(t, os.WriteFile(path, []byte(strings.Repeat("x", size)), 0o600))
	return path
}

func TestChangedFileIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	path := file(t, filepath.Join(dir, "f"), rows.MaxChunk+10)
	l := &log{}
	l.onWrite = func(n int) {
		if n == 1 {
			file(t, path, 100)
		}
	}
	read(t, dir, "f", l)
	l.want(t, "open drop open close")
	if len(l.content) != 100 || l.printed.Fingerprint != "" {
		t.Errorf("%d bytes, fingerprint %q", len(l.content), l.printed.Fingerprint)
	}
}

func TestConstantlyChangingFileIsKeptAndReported(t *testing.T) {
	for name, change := range map[string]func(path string, n int) error{
		"grows": func(path string, n int) error {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString("more")
			return errors.Join(err, f.Close())
		},
		"shrinks":    func(path string, n int) error { return os.Truncate(path, int64(rows.MaxChunk+100-n)) },
		"is touched": func(path string, n int) error { at := time.Unix(int64(n), 0); return os.Chtimes(path, at, at) },
	} {
		dir := t.TempDir()
		path := file(t, filepath.Join(dir, "f"), rows.MaxChunk+1000)
		l := &log{}
		l.onWrite = func(n int) { must(t, change(path, n)) }
		read(t, dir, "f", l)
		if l.want(t, "open drop open drop open close changed_file"); len(l.content) < rows.MaxChunk {
			t.Errorf("a file that %s: %d bytes are kept", name, len(l.content))
		}
	}
}

func TestFileRemovedWhileReadIsComplete(t *testing.T) {
	dir := t.TempDir()
	path := file(t, filepath.Join(dir, "f"), rows.MaxChunk+1000)
	l := &log{onWrite: func(n int) {
		if n == 1 {
			must(t, os.Remove(path))
		}
	}}
	read(t, dir, "f", l)
	l.want(t, "open close")
	read(t, dir, "f", &log{}) // removed before it is read, it is not part of the site
}

func TestPipeInsteadOfFileDoesNotBlock(t *testing.T) {
	dir := t.TempDir()
	must(t, syscall.Mkfifo(filepath.Join(dir, "f"), 0o666))
	l := &log{}
	read(t, dir, "f", l)
	l.want(t, "changed_file")
}

func TestLinkIsNotFollowed(t *testing.T) {
	dir := t.TempDir()
	file(t, filepath.Join(dir, "inside"), 10)
	must(t, os.Symlink("inside", filepath.Join(dir, "f")))
	l := &log{}
	read(t, dir, "f", l)
	l.want(t, "changed_file")
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close()
	must(t, os.Mkdir(filepath.Join(dir, "d"), 0o700))
	must(t, os.Symlink("d", filepath.Join(dir, "l")))
	must(t, os.Symlink("/", filepath.Join(dir, "out")))
	for _, path := range []string{"l", "out", "inside", "l/x", "out/etc"} {
		if d, err := filetree.OpenPath(root, path); err == nil {
			t.Errorf("%s is opened as a directory: %v", path, d.Name())
		}
	}
}

func TestFingerprint(t *testing.T) {
	dir := t.TempDir()
	info, err := os.Stat(file(t, filepath.Join(dir, "f"), 10))
	must(t, err)
	later := time.Now().Add(time.Hour)
	first := filetree.Fingerprint(info, later)
	if first == "" || filetree.Fingerprint(info, later) != first {
		t.Errorf("fingerprint %q", first)
	}
	if got := filetree.Fingerprint(info, info.ModTime()); got != "" {
		t.Errorf("a file that changed just now has the fingerprint %q", got)
	}
	must(t, os.Chtimes(filepath.Join(dir, "f"), later, later))
	info, err = os.Stat(filepath.Join(dir, "f"))
	must(t, err)
	if filetree.Fingerprint(info, later) == first {
		t.Error("another time, but the same fingerprint")
	}
}

// New content with the same size and old times (cp -p, rsync, an attacker) has
// another fingerprint: the inode's change time cannot be set back.
func TestFingerprintDetectsContentWithOldTimes(t *testing.T) {
	path := file(t, filepath.Join(t.TempDir(), "f"), 10)
	before, err := os.Stat(path)
	must(t, err)
	for info := before; ; {
		must(t, os.WriteFile(path, []byte("0123456789"), 0o600))
		must(t, os.Chtimes(path, before.ModTime(), before.ModTime()))
		info, err = os.Stat(path)
		must(t, err)
		if !info.ModTime().Equal(before.ModTime()) || info.Size() != before.Size() || !os.SameFile(info, before) {
			t.Fatal("the file does not look unchanged")
		}
		if !changed(info).Equal(changed(before)) { // the clock of the file system has moved on
			later := time.Now().Add(time.Hour)
			if filetree.Fingerprint(info, later) == filetree.Fingerprint(before, later) {
				t.Error("other content, but the same fingerprint")
			}
			return
		}
	}
}

func changed(info fs.FileInfo) time.Time {
	return time.Unix(info.Sys().(*syscall.Stat_t).Ctim.Unix())
}

func TestMode(t *testing.T) {
	for bits := range uint32(0o10000) {
		if got := filetree.Mode(filetree.FileMode(bits)); got != bits {
			t.Fatalf("%o becomes %o", bits, got)
		}
	}
}

// asUser runs the named test again in a process of an unprivileged user.
func asUser(t *testing.T, dir string) (again bool) {
	t.Helper()
	if os.Getuid() != 0 {
		return true
	}
	for path := dir; path != "/"; path = filepath.Dir(path) { // let it reach dir
		info, err := os.Stat(path)
		must(t, err)
		must(t, os.Chmod(path, info.Mode()|0o111))
	}
	bin := filepath.Join(dir, "test")
	data, err := os.ReadFile(os.Args[0])
	must(t, err)
	must(t, os.WriteFile(bin, data, 0o755))
	cmd := exec.Command(bin, "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Dir, cmd.Env = "/", []string{"VAULT_TEST_DIR=" + dir, "TMPDIR=" + os.TempDir()}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as another user: %v\n%s", err, out)
	}
	return false
}

func TestUnreadable(t *testing.T) {
	dir := os.Getenv("VAULT_TEST_DIR")
	if dir == "" {
		dir = removable(t, t.TempDir())
		file(t, filepath.Join(dir, "locked"), 10)
		must(t, os.Chmod(filepath.Join(dir, "locked"), 0))
		must(t, os.MkdirAll(filepath.Join(dir, "closed/in"), 0o700))
		must(t, os.Chmod(filepath.Join(dir, "closed"), 0))
		file(t, filepath.Join(dir, "zz"), 10)
		must(t, os.Chmod(filepath.Join(dir, "zz"), 0o644))
		if !asUser(t, dir) {
			return
		}
	}
	l := &log{}
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close()
	r := &filetree.Reader{Hash: sha256.New, Out: l, Digest: func(n int64, sum string) stage.Digest { return stage.Digest{Bytes: n, SHA256: sum} }}
	w := &filetree.Walk{Out: l, Visit: func(ctx context.Context, f filetree.Found) error {
		if f.Info.IsDir() || f.Name == "test" {
			return nil
		}
		return r.File(ctx, f)
	}}
	must(t, w.Children(t.Context(), root, "dataroot"))
	l.want(t, "unreadable_file unreadable_file open close")
	for i, path := range []string{"dataroot/closed", "dataroot/locked"} {
		if x := l.losses[i]; x.Path != path || !strings.Contains(x.Reason, "permission denied") {
			t.Errorf("loss %+v, want one of %s", x, path)
		}
	}
}

package local

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// A tmp that Vault did not create is refused and left unchanged.
func TestForeignTmpIsRefused(t *testing.T) {
	photos := t.TempDir()
	write(t, photos, "put-ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	for name, prepare := range map[string]func(tmp string) error{
		"somebody's file": func(tmp string) error {
			return errors.Join(os.Mkdir(tmp, 0o777), os.WriteFile(tmp+"/a.jpg", nil, 0o666))
		},
		"a name like ours": func(tmp string) error {
			return errors.Join(os.Mkdir(tmp, 0o777), os.WriteFile(tmp+"/put-123", nil, 0o666))
		},
		"a directory with such a name": func(tmp string) error { return os.MkdirAll(tmp+"/put-ABCDEFGHIJKLMNOPQRSTUVWXYZ", 0o777) },
		"a link":                       func(tmp string) error { return os.Symlink(photos, tmp) },
		"a link to outside":            func(tmp string) error { return os.Symlink("/nowhere", tmp) },
		"a file":                       func(tmp string) error { return os.WriteFile(tmp, nil, 0o666) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := prepare(filepath.Join(dir, "tmp")); err != nil {
				t.Fatal(err)
			}
			before := tree(t, dir)
			s := open(t, dir)
			_, free := s.Free(t.Context())
			for what, err := range map[string]error{"free": free, "put": s.Put(t.Context(), "x", nil)} {
				if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "tmp")) || !strings.Contains(err.Error(), "another directory") {
					t.Errorf("%s: %v", what, err)
				}
			}
			if after := tree(t, dir); !slices.Equal(before, after) {
				t.Errorf("contents changed: %v, was %v", after, before)
			}
		})
	}
	if left := tree(t, photos); len(left) != 2 {
		t.Errorf("the link's target has %v left", left)
	}
}

func write(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func tree(t *testing.T, dir string) (all []string) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		all = append(all, path)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// Nothing outside of the directory is read, written, listed or deleted.
func TestLinksDoNotLeadOut(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	write(t, out, "x")
	if err := errors.Join(os.Symlink(out, filepath.Join(dir, "packs")), os.Symlink(filepath.Join(out, "x"), filepath.Join(dir, "key"))); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	_, got := s.Get(t.Context(), nil, "key", 0, -1)
	_, stat := s.Stat(t.Context(), "packs/x")
	for what, err := range map[string]error{
		"get": got, "stat": stat, "put": s.Put(t.Context(), "packs/y", nil), "delete": s.Delete(t.Context(), "packs/x"),
		"list": s.List(t.Context(), "packs/", func(o stage.Object) error { t.Errorf("listed %v", o); return nil }),
	} {
		if err == nil || !strings.Contains(err.Error(), "a symbolic link leads out") || errors.Is(err, stage.ErrNotExist) {
			t.Errorf("%s: %v", what, err)
		}
	}
	put(t, s, "key", "ours") // replaces the link
	if left, err := os.ReadFile(filepath.Join(out, "x")); err != nil || string(left) != "mine" || len(tree(t, out)) != 2 {
		t.Errorf("outside is %q, %v, %v", left, tree(t, out), err)
	}
}

// A special file is not an object: it is not read, waited for or deleted.
func TestSpecialFiles(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	socket, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir) // a socket's path is short
	if err := errors.Join(syscall.Bind(socket, &syscall.SockaddrUnix{Name: "socket"}), syscall.Close(socket)); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	for _, name := range []string{"pipe", "socket"} {
		done := make(chan error)
		go func() {
			_, got := s.Get(t.Context(), nil, name, 0, -1)
			_, stat := s.Stat(t.Context(), name)
			for _, err := range []error{got, stat, s.Delete(t.Context(), name)} {
				if !errors.Is(err, stage.ErrCorrupt) || !strings.Contains(err.Error(), "not a regular file") {
					t.Errorf("%s: %v", name, err)
				}
			}
			close(done)
		}()
		select {
		case <-done:
		case <-time.After(time.Minute):
			t.Fatalf("%s is waited for", name)
		}
	}
	if got := list(t, s, ""); !slices.Equal(got, []string{"pipe:0", "socket:0"}) {
		t.Errorf("listed %v", got)
	}
}

// A directory with foreign files is not empty; what a file system itself creates does
// not count.
func TestForeignFilesAreListed(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"lost+found", "My Photos", "tmp"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir, "tmp/put-ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	s := open(t, dir)
	if got := list(t, s, ""); !slices.Equal(got, []string{"My Photos:0"}) {
		t.Errorf("listed %v", got)
	}
	write(t, dir, "README")
	write(t, dir, "b\xff")
	if got := list(t, s, ""); !slices.Equal(got, []string{"My Photos:0", "README:0", "b\uFFFD:0"}) {
		t.Errorf("listed %v", got)
	}
	for _, prefix := range []string{"M", "R", "packs/"} {
		if got := list(t, s, prefix); len(got) > 0 {
			t.Errorf("%s: listed %v", prefix, got)
		}
	}
}

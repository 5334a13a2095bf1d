package host

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/lmsvault/vault/core/failure"
)

// executable is what is started for a program: a path, and the open file if the path refers
// to its descriptor in the new process.
type executable struct {
	path  string
	files []*os.File
}

// executable opens and checks the program's file. On Linux the process executes the same
// descriptor that was checked, so the file can't be replaced in between. A script then has
// a $0 like /proc/self/fd/3; readlink returns its path.
func (p Program) executable() (executable, error) {
	info, err := os.Stat(p.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return executable{}, p.refused("%s does not exist", p.Path)
	case err != nil:
		return executable{}, p.refused("%w", err)
	case info.IsDir():
		return executable{}, p.refused("%s is a directory, not a program", p.Path)
	case !info.Mode().IsRegular():
		return executable{}, p.refused("%s is not a regular file", p.Path)
	case info.Mode()&0o111 == 0:
		return executable{}, p.refused("%s is not executable; if it is the right file, use chmod +x", p.Path)
	case p.SHA256 == "":
		return executable{path: p.Path}, nil
	}
	f, err := os.Open(p.Path)
	if err != nil {
		return executable{}, p.refused("checking the file: %w", err)
	}
	if err := errors.Join(p.guarded(f), p.pinned(f)); err != nil {
		return executable{}, errors.Join(err, f.Close())
	}
	const first = "/proc/self/fd/3" // the first of exec.Cmd.ExtraFiles
	if _, err := os.Stat("/proc/self/fd"); runtime.GOOS == "linux" && err == nil {
		return executable{path: first, files: []*os.File{f}}, nil
	}
	return executable{path: p.Path}, f.Close()
}

func (p Program) refused(format string, args ...any) error {
	return failure.New(failure.Refused, "plugin %s was not started: %w", p.Name, fmt.Errorf(format, args...))
}

// pinned compares the SHA-256 of the file with the required one.
func (p Program) pinned(f *os.File) error {
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return p.refused("checking the file: %w", err)
	}
	if is := hex.EncodeToString(h.Sum(nil)); !strings.EqualFold(is, p.SHA256) {
		return p.refused("%s has changed since it was installed: its SHA-256 is %s, was %s; if the change is intended, install it again", p.Path, is, strings.ToLower(p.SHA256))
	}
	return nil
}

// guarded checks that only root and the current user can modify or replace the file.
func (p Program) guarded(f *os.File) error {
	const others = 0o022
	path, err := filepath.EvalSymlinks(p.Path)
	if err != nil {
		return p.refused("%w", err)
	}
	dir := filepath.Dir(path)
	file, err := f.Stat()
	if err != nil {
		return p.refused("%w", err)
	}
	folder, err := os.Stat(dir)
	if err != nil {
		return p.refused("%w", err)
	}
	for _, e := range []struct {
		path string
		info fs.FileInfo
	}{{path, file}, {dir, folder}} {
		owner, ok := e.info.Sys().(*syscall.Stat_t)
		if !ok {
			return p.refused("the owner of %s can't be determined on this system", e.path)
		}
		if uid := int(owner.Uid); uid != 0 && uid != os.Geteuid() {
			return p.refused("%s is owned by user %d, not by root or the current user (%d); use chown", e.path, uid, os.Geteuid())
		}
		if mode := e.info.Mode().Perm(); mode&others != 0 {
			return p.refused("%s is writable by others (mode %04o); use chmod go-w", e.path, mode)
		}
	}
	return nil
}

// unstartable explains why the system did not start the file.
func (p Program) unstartable(err error) error {
	switch {
	case errors.Is(err, syscall.ENOENT):
		if interpreter := interpreterOf(p.Path); interpreter != "" {
			return p.refused("%s needs the interpreter %q, which does not exist", p.Path, interpreter)
		}
		return p.refused("a file that is needed to run %s does not exist: %w", p.Path, err)
	case errors.Is(err, syscall.ENOEXEC):
		return p.refused("%s is neither a program for this machine (%s/%s) nor a script that begins with #!", p.Path, runtime.GOOS, runtime.GOARCH)
	case errors.Is(err, syscall.EACCES):
		return p.refused("the system does not allow running %s; check the permissions of its directories and interpreter, and for a mount with noexec: %w", p.Path, err)
	}
	return p.refused("%w", err)
}

// interpreterOf returns the interpreter in the #! line of a script, or "" if there is none
// or it can't be read.
func interpreterOf(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	head := make([]byte, 256)
	n, err := f.ReadAt(head, 0)
	if err = errors.Join(err, f.Close()); err != nil && !errors.Is(err, io.EOF) {
		return ""
	}
	line, _, _ := strings.Cut(string(head[:n]), "\n")
	script, ok := strings.CutPrefix(line, "#!")
	if words := strings.FieldsFunc(script, func(r rune) bool { return r == ' ' || r == '\t' }); ok && len(words) > 0 {
		return words[0]
	}
	return ""
}

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

// executable is what is run for a program: a path, and the open file if the path
// goes through its descriptor in the new process.
type executable struct {
	path  string
	files []*os.File
}

// executable checks the program's file and opens it. What was checked is what
// runs: on Linux the descriptor that was read is executed, so that nothing can
// take the file's place meanwhile. A script then has a $0 like /proc/self/fd/3,
// of which readlink gives its path.
func (p Program) executable() (executable, error) {
	info, err := os.Stat(p.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return executable{}, p.refused("there is no file %s", p.Path)
	case err != nil:
		return executable{}, p.refused("%w", err)
	case info.IsDir():
		return executable{}, p.refused("%s is a folder, and not a program", p.Path)
	case !info.Mode().IsRegular():
		return executable{}, p.refused("%s is not a file", p.Path)
	case info.Mode()&0o111 == 0:
		return executable{}, p.refused("%s is not executable: if it is the right file, use chmod +x", p.Path)
	case p.SHA256 == "":
		return executable{path: p.Path}, nil
	}
	f, err := os.Open(p.Path)
	if err != nil {
		return executable{}, p.refused("it can't be checked: %w", err)
	}
	if err := errors.Join(p.guarded(f), p.pinned(f)); err != nil {
		return executable{}, errors.Join(err, f.Close())
	}
	const first = "/proc/self/fd/3" // what exec.Cmd.ExtraFiles begins with
	if _, err := os.Stat("/proc/self/fd"); runtime.GOOS == "linux" && err == nil {
		return executable{path: first, files: []*os.File{f}}, nil
	}
	return executable{path: p.Path}, f.Close()
}

func (p Program) refused(format string, args ...any) error {
	return failure.New(failure.Refused, "plugin %s was not started: %w", p.Name, fmt.Errorf(format, args...))
}

// pinned compares the file with the digest that it must have.
func (p Program) pinned(f *os.File) error {
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return p.refused("it can't be checked: %w", err)
	}
	if is := hex.EncodeToString(h.Sum(nil)); !strings.EqualFold(is, p.SHA256) {
		return p.refused("%s has changed: its SHA-256 is %s, and was %s when it was installed; if the change is meant, install it again", p.Path, is, strings.ToLower(p.SHA256))
	}
	return nil
}

// guarded makes sure that nobody but root and the current user can change the
// file or put another in its place.
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
			return p.refused("this system does not tell whom %s belongs to", e.path)
		}
		if uid := int(owner.Uid); uid != 0 && uid != os.Geteuid() {
			return p.refused("%s belongs to user %d, who is neither root nor the one that runs vault (user %d): use chown", e.path, uid, os.Geteuid())
		}
		if mode := e.info.Mode().Perm(); mode&others != 0 {
			return p.refused("others can write %s (its mode is %04o): use chmod go-w", e.path, mode)
		}
	}
	return nil
}

// unstartable says in plain words why the system did not start the file.
func (p Program) unstartable(err error) error {
	switch {
	case errors.Is(err, syscall.ENOENT):
		if interpreter := interpreterOf(p.Path); interpreter != "" {
			return p.refused("%s needs the interpreter %q, which is not there", p.Path, interpreter)
		}
		return p.refused("something that %s needs to be run is not there: %w", p.Path, err)
	case errors.Is(err, syscall.ENOEXEC):
		return p.refused("%s is no program for this machine (%s/%s), nor a script that begins with #!", p.Path, runtime.GOOS, runtime.GOARCH)
	case errors.Is(err, syscall.EACCES):
		return p.refused("the system does not let %s be run: look at the rights of its folders and interpreter, and whether it is mounted with noexec: %w", p.Path, err)
	}
	return p.refused("%w", err)
}

// interpreterOf is what the #! line of a script names, "" if it has none or can't be read.
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

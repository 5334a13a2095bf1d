package cli

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"syscall"

	"github.com/lmsvault/vault/core/failure"
)

const workspacePrefix = "vault-run-"

// workspaceName matches the names of workspaces, which are unlikely to occur by chance.
var workspaceName = regexp.MustCompile(`^` + workspacePrefix + `[A-Z2-7]{26}$`)

// workspace is a directory for temporary files. It is locked while its process runs, so
// later processes can recognize and remove the workspace of a killed one.
type workspace struct{ lock *os.File }

// newWorkspace creates a workspace in the system's directory for temporary files.
func (a *App) newWorkspace() (*workspace, error) {
	a.sweep()
	for range 100 {
		dir := filepath.Join(os.TempDir(), workspacePrefix+rand.Text())
		if err := os.Mkdir(dir, 0o700); err != nil {
			if p := new(fs.PathError); errors.As(err, &p) {
				err = p.Err
			}
			return nil, failure.New(failure.Refused, "cannot write temporary files to %s: %w; set TMPDIR to a writable directory", os.TempDir(), err)
		}
		lock, err := Claim(dir)
		if err != nil {
			return nil, fmt.Errorf("locking the directory for temporary files: %w", err)
		}
		if lock != nil {
			return &workspace{lock}, nil
		}
	}
	return nil, errors.New("cannot keep a directory for temporary files: each was removed by another process")
}

// Dir returns the path of the directory.
func (w *workspace) Dir() string { return w.lock.Name() }

// remove removes the directory and releases its lock.
func (w *workspace) remove() error { return errors.Join(os.RemoveAll(w.Dir()), w.lock.Close()) }

// Claim locks a directory. It returns nil if another process has locked or removed it.
func Claim(dir string) (_ *os.File, err error) {
	f, err := os.OpenFile(dir, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_DIRECTORY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = nil
		}
		return nil, errors.Join(err, f.Close())
	}
	mine, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if there, err := os.Lstat(dir); err != nil || !os.SameFile(mine, there) {
		return nil, f.Close()
	}
	return f, nil
}

// sweep removes this user's workspaces that no process has locked. It ignores errors,
// because remaining workspaces do no harm.
func (a *App) sweep() {
	found, err := filepath.Glob(filepath.Join(os.TempDir(), workspacePrefix+"*"))
	if err != nil {
		return // the directory's name is not a valid pattern
	}
	for _, dir := range found {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || !workspaceName.MatchString(info.Name()) {
			continue
		}
		if owner, ok := info.Sys().(*syscall.Stat_t); !ok || int(owner.Uid) != os.Geteuid() {
			continue
		}
		lock, err := Claim(dir)
		if lock != nil {
			err = (&workspace{lock}).remove()
		}
		if err != nil {
			a.Log.Warn("temporary files of a run that was killed stay", "folder", dir, "error", err)
		}
	}
}

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

// workspaceName is what workspaces are named: nobody else has such names by chance.
var workspaceName = regexp.MustCompile(`^` + workspacePrefix + `[A-Z2-7]{26}$`)

// workspace is a folder for temporary files. It is locked as long as its process
// lives, so that the next one can tell what a killed one left, and remove it.
type workspace struct{ lock *os.File }

// newWorkspace makes a workspace in the system's folder for temporary files.
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

// remove removes the folder and gives its lock back.
func (w *workspace) remove() error { return errors.Join(os.RemoveAll(w.Dir()), w.lock.Close()) }

// Claim locks a folder; nil if another process has it, or removed it meanwhile.
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

// sweep removes this user's workspaces that no process holds. What can't be
// removed is in nobody's way.
func (a *App) sweep() {
	found, err := filepath.Glob(filepath.Join(os.TempDir(), workspacePrefix+"*"))
	if err != nil {
		return // the pattern of a folder's odd name
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

package lockfile

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"syscall"
	"time"

	"github.com/lmsvault/vault/core/failure"
)

// temporary is the prefix of the names of unfinished files.
const temporary = ".vault-temporary-"

var temporaryName = regexp.MustCompile(`^\` + temporary + `[A-Z2-7]{26}$`)

// update changes the lock file of a directory. It holds the lock of the directory, so that
// nobody else changes it at the same time, and checks that what it reads can be trusted.
func update(ctx context.Context, dir string, change func(root *os.Root, f *File) error) (err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return failure.New(failure.Usage, "reading the pipeline directory: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	held, err := lock(ctx, root)
	if err != nil {
		return fmt.Errorf("locking %s: %w", dir, err)
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	f, err := load(root, dir)
	if err != nil {
		return err
	}
	if err := f.trust(root); err != nil {
		return failure.Wrap(failure.Refused, err)
	}
	if err := sweep(root); err != nil {
		return err
	}
	return change(root, f)
}

// lock waits until the directory is locked. Closing the file unlocks it, as does the end of
// the process.
func lock(ctx context.Context, root *os.Root) (_ *os.File, err error) {
	dir, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(err, dir.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), dir.Close())
		case <-again.C:
		}
	}
}

// sweep removes files left by a killed update. The lock must be held, so that no other
// update is running.
func sweep(root *os.Root) error {
	for _, dir := range []string{".", Folder} {
		left, err := fs.Glob(root.FS(), path.Join(dir, temporary+"*"))
		if err != nil {
			return err
		}
		for _, name := range left {
			info, err := root.Lstat(name)
			if err != nil || !info.Mode().IsRegular() || !temporaryName.MatchString(info.Name()) {
				continue
			}
			if err := root.Remove(name); err != nil {
				return fmt.Errorf("removing files of a killed vault: %w", err)
			}
		}
	}
	return nil
}

// create makes a new temporary file that only its owner can write.
func create(root *os.Root, dir string) (*os.File, string, error) {
	name := path.Join(dir, temporary+rand.Text())
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	return f, name, unwritable(err, path.Join(root.Name(), dir))
}

// unwritable adds a remedy to an error about a directory that the user may not write to.
func unwritable(err error, dir string) error {
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return failure.New(failure.Refused, "the current user may not write to %s; run vault as a user who may, or change the owner or mode of the directory: %w", dir, err)
}

// save writes the lock file atomically.
func (f *File) save(root *os.Root) (err error) {
	text, err := f.format()
	if err != nil {
		return err
	}
	file, name, err := create(root, ".")
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, finish(file, 0o644))
	if err == nil {
		err = root.Rename(name, Name)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", f.path(Name), errors.Join(err, gone(root.Remove(name))))
	}
	return syncFolder(root, ".")
}

// finish makes a written file durable and sets its mode.
func finish(file *os.File, mode fs.FileMode) error {
	return errors.Join(file.Chmod(mode), file.Sync(), file.Close())
}

func syncFolder(root *os.Root, name string) error {
	dir, err := root.Open(name)
	if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil // file systems such as some network shares do not support it
	}
	return errors.Join(err, dir.Close())
}

// empty ignores errors about a directory that is not empty or does not exist.
func empty(err error) error {
	if errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, syscall.EEXIST) {
		return nil
	}
	return gone(err)
}

// gone ignores errors about a file that does not exist.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/lmsvault/vault/core/failure"
)

// claim is the right to write a partial file: a lock on the file itself, which ends
// with the process. Only the claimed file is proven and renamed.
type claim struct {
	path string
	file *os.File
}

// errTaken reports that the file was replaced while it was being claimed.
var errTaken = errors.New("another process has replaced it")

// claimNew removes what an earlier run left and creates the file. It returns an error
// while another run holds it.
func claimNew(path string) (*claim, error) {
	const tries = 10
	for range tries {
		c, err := tryClaim(path)
		if !errors.Is(err, errTaken) {
			return c, err
		}
	}
	return nil, fmt.Errorf("creating %s: %w", path, errTaken)
}

func tryClaim(path string) (_ *claim, err error) {
	left, err := claimLeft(path)
	if err != nil {
		return nil, err
	}
	// Until the new file is claimed, others that find the old one cannot claim it.
	defer func() { err = errors.Join(err, left.release()) }()
	if err := removeAll(path, path+"-journal", path+"-wal", path+"-shm"); err != nil {
		return nil, err
	}
	// It will contain password hashes and private messages, so only its owner may
	// access it.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, errTaken
	}
	if err != nil {
		return nil, err
	}
	return lockFile(path, f)
}

// claimLeft claims what an earlier run left, so that no other run can. It returns nil
// if there is nothing, or something that no run can have created. A file that this
// user may not write is refused: another user's run may be writing it, which no lock
// can show.
func claimLeft(path string) (*claim, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil, nil
	}
	if err != nil {
		return nil, failure.New(failure.Refused, "looking for remains of an earlier restore: %w", err)
	}
	// Open for writing, as NFS locks only such files exclusively.
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ELOOP):
		return nil, errTaken
	case errors.Is(err, fs.ErrPermission):
		return nil, failure.New(failure.Refused, "a restore left %s, which this user may not write: %w; if no restore is running, remove it", path, err)
	case err != nil:
		return nil, err
	}
	return lockFile(path, f)
}

func lockFile(path string, f *os.File) (*claim, error) {
	c := &claim{path, f}
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK), errors.Is(err, unix.EACCES): // POSIX allows both
		err = failure.New(failure.Refused, "another run is writing %s; wait for it to finish", path)
	case lockless(err):
		err = nil
	case err != nil:
		err = fmt.Errorf("locking %s: %w", path, err)
	}
	if err == nil {
		_, err = c.look(path)
	}
	if err != nil {
		return nil, errors.Join(err, c.release())
	}
	return c, nil
}

// lockless reports whether an error of locking means that a share does not support
// locks.
func lockless(err error) bool {
	for _, no := range []error{unix.ENOTSUP, unix.EOPNOTSUPP, unix.ENOLCK, unix.ENOSYS, unix.EBADF} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// look returns the state of the claimed file, which must be the one with this name.
func (c *claim) look(name string) (fs.FileInfo, error) {
	own, err := c.file.Stat()
	if err != nil {
		return nil, err
	}
	there, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(own, there) {
		return nil, fmt.Errorf("%s is not the file that this run created: %w", name, errTaken)
	}
	return own, err
}

// unchanged returns an error unless the claimed file still has its name and state.
func (c *claim) unchanged(since fs.FileInfo) error {
	now, err := c.look(c.path)
	if err == nil && (now.Size() != since.Size() || !now.ModTime().Equal(since.ModTime())) {
		err = fmt.Errorf("%s was changed by another process after it was complete", c.path)
	}
	if err != nil {
		return failure.Wrap(failure.Unproven, err)
	}
	return nil
}

func (c *claim) release() error {
	if c == nil {
		return nil
	}
	return c.file.Close()
}

// free returns an error for a partial file that another run is writing. It changes
// nothing.
func free(path string) error {
	c, err := claimLeft(path)
	if errors.Is(err, errTaken) {
		return nil // Begin reports it
	}
	if err != nil {
		return err
	}
	return c.release()
}

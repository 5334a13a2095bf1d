package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/lmsvault/vault/core/failure"
)

// claim is the right to write a partial file: a lock on the file itself, which
// ends with the process. Only the file that is claimed is proven and renamed.
type claim struct {
	path string
	file *os.File
}

// errTaken tells that the file was exchanged while it was being claimed.
var errTaken = errors.New("another process exchanges it")

// claimNew removes what is left of an earlier run and makes the file anew. It
// refuses while another run holds it.
func claimNew(path string) (*claim, error) {
	const tries = 10
	for range tries {
		c, err := tryClaim(path)
		if !errors.Is(err, errTaken) {
			return c, err
		}
	}
	return nil, fmt.Errorf("making %s: %w", path, errTaken)
}

func tryClaim(path string) (_ *claim, err error) {
	left, err := claimLeft(path)
	if err != nil {
		return nil, err
	}
	// Until the new file is claimed: who finds the old one waits in vain.
	defer func() { err = errors.Join(err, left.release()) }()
	if err := removeAll(path, path+"-journal", path+"-wal", path+"-shm"); err != nil {
		return nil, err
	}
	// Password hashes and private messages are in it, so it is made for its owner alone.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, errTaken
	}
	if err != nil {
		return nil, err
	}
	return lockFile(path, f)
}

// claimLeft claims what an earlier run left, so that it is no other's; nil where
// there is nothing, or something that no run can have made. A file that this user
// may not write is refused: it can be the one that another user's run is writing,
// which no lock can tell.
func claimLeft(path string) (*claim, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil, nil
	}
	if err != nil {
		return nil, failure.New(failure.Refused, "looking for what an earlier restore left: %w", err)
	}
	// For writing, as NFS locks no other file exclusively.
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
		err = failure.New(failure.Refused, "another run is writing %s; wait for it to end", path)
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

// lockless reports whether an error of a lock says that a share has no locks.
func lockless(err error) bool {
	for _, no := range []error{unix.ENOTSUP, unix.EOPNOTSUPP, unix.ENOLCK, unix.ENOSYS, unix.EBADF} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// look returns the state of the claimed file, which must be the one of this name.
func (c *claim) look(name string) (fs.FileInfo, error) {
	own, err := c.file.Stat()
	if err != nil {
		return nil, err
	}
	there, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(own, there) {
		return nil, fmt.Errorf("%s: it is not the file that this run made: %w", name, errTaken)
	}
	return own, err
}

// unchanged tells whether the claimed file still has its name and its state.
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

// free refuses a partial file that another run is writing. It changes nothing.
func free(path string) error {
	c, err := claimLeft(path)
	if errors.Is(err, errTaken) {
		return nil // Begin will tell
	}
	if err != nil {
		return err
	}
	return c.release()
}

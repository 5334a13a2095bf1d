package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lmsvault/vault/core/failure"
)

// NFS returns EBADF for an exclusive lock on a file that is open read-only.
func TestLeftFileIsClaimedForWriting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "site.vault-partial")
	if err := os.WriteFile(path, []byte("left"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := claimLeft(path)
	if err != nil {
		t.Fatal(err)
	}
	flags, err := unix.FcntlInt(c.file.Fd(), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_ACCMODE != unix.O_RDWR {
		t.Errorf("the claimed file is open with the flags %o (%v)", flags, err)
	}
	if err := c.release(); err != nil {
		t.Error(err)
	}
}

func TestShareWithoutLocksIsNoError(t *testing.T) {
	for _, no := range []error{unix.EBADF, unix.ENOLCK, unix.EOPNOTSUPP, unix.ENOTSUP, unix.ENOSYS} {
		if !lockless(fmt.Errorf("locking: %w", no)) {
			t.Errorf("%v is not recognised as a share without locks", no)
		}
	}
	for _, err := range []error{nil, unix.EIO, unix.EINTR, unix.EWOULDBLOCK, unix.EACCES} {
		if lockless(err) {
			t.Errorf("%v is recognised as a share without locks", err)
		}
	}
}

// Another user's run may be writing what this user cannot open.
func TestFileOfAnotherUserIsRefused(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} { // let the other user reach the file, whatever the umask
		if err := os.Chmod(d, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "site.vault-partial")
	if err := os.WriteFile(path, []byte("theirs"), 0o400); err != nil {
		t.Fatal(err)
	}
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with its changed user
		if os.Geteuid() == 0 {
			if err := unix.Setfsuid(65534); err != nil {
				result <- err
				return
			}
		}
		result <- free(path)
	}()
	err := <-result
	if failure.Of(err) != failure.Refused || !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), path+", which this user may not write") {
		t.Errorf("not refused as expected: %v", err)
	}
}

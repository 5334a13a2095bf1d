package host

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
)

// folder is where the processes have their sockets and temporary files, each in a
// folder of its own that only this user can open.
type folder struct {
	dir string

	mu    sync.Mutex
	alias *os.File // the open folder, where its path is too long for sockets
}

// added is the most that go-plugin and the plugin add to the folder's path for
// a socket: two names with random numbers, and one of ours.
const added = len("/p1234567890/plugin-dir1234567890/plugin1234567890")

// make makes a folder for a process; sockets is its path for sockets. A socket's
// path may have about 100 bytes, which is less than TMPDIR may have.
func (f *folder) make() (dir, sockets string, err error) {
	base, err := filepath.Abs(f.dir)
	if err != nil {
		return "", "", err
	}
	if dir, err = os.MkdirTemp(base, "p"); err != nil {
		return "", "", fmt.Errorf("making a plugin's folder: %w", err)
	}
	if len(base)+added < len(syscall.RawSockaddrUnix{}.Path) {
		return dir, dir, nil
	}
	short, err := f.short(base)
	return dir, filepath.Join(short, filepath.Base(dir)), err
}

// short is another path of the folder, which ends with this process: nothing
// that is killed leaves it behind.
func (f *folder) short(base string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if runtime.GOOS != "linux" {
		return "", fmt.Errorf("the path of the folder for temporary files is too long for the sockets of plugins: set TMPDIR to a shorter one than %s", base)
	}
	if f.alias == nil {
		opened, err := os.Open(base)
		if err != nil {
			return "", err
		}
		f.alias = opened
	}
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), f.alias.Fd()), nil
}

func (f *folder) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return closeAll([]*os.File{f.alias})
}

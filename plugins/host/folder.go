package host

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
)

// folder holds the sockets and temporary files of the processes, in a directory for each
// that only the current user can open.
type folder struct {
	dir string

	mu    sync.Mutex
	alias *os.File // the open directory if its path is too long for sockets
}

// added is the maximum length that go-plugin and the plugin append to the directory's path
// for a socket: two names with random numbers, and one of ours.
const added = len("/p1234567890/plugin-dir1234567890/plugin1234567890")

// make creates a directory for a process; sockets is the path to use for sockets. The path
// of a socket is limited to about 100 bytes, and TMPDIR may be longer.
func (f *folder) make() (dir, sockets string, err error) {
	base, err := filepath.Abs(f.dir)
	if err != nil {
		return "", "", err
	}
	if dir, err = os.MkdirTemp(base, "p"); err != nil {
		return "", "", fmt.Errorf("making a plugin's directory: %w", err)
	}
	if len(base)+added < len(syscall.RawSockaddrUnix{}.Path) {
		return dir, dir, nil
	}
	short, err := f.short(base)
	return dir, filepath.Join(short, filepath.Base(dir)), err
}

// short returns another path of the directory. It ends with this process, so it does not
// remain even if the process is killed.
func (f *folder) short(base string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if runtime.GOOS != "linux" {
		return "", fmt.Errorf("the path of the temporary directory is too long for plugin sockets; set TMPDIR to a shorter path than %s", base)
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

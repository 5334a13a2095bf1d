package filetree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Fingerprint tells states of a file apart: size, times of change of content
// and of inode, inode number. It is "" for a file that changed so shortly ago
// that a later change could carry the same times.
func Fingerprint(info fs.FileInfo, now time.Time) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	tick := 100 * time.Millisecond // of the clock that a local file system stamps with
	if st.Ctim.Nsec == 0 {
		tick = 2 * time.Second // a file system that keeps seconds
	}
	changed := time.Unix(st.Ctim.Unix())
	if changed.After(now.Add(-tick)) {
		return ""
	}
	return fmt.Sprintf("%x.%x.%x.%x", st.Size, st.Mtim.Nano(), st.Ctim.Nano(), st.Ino)
}

// space tells what a file system has free; inodes is -1 where it has no such limit.
func space(dir string) (bytes, inodes int64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, 0, fmt.Errorf("asking for the free space of %s: %w", dir, err)
	}
	inodes = int64(st.Ffree)
	if st.Files == 0 {
		inodes = -1
	}
	return int64(st.Bavail) * st.Bsize, inodes, nil
}

// writable tells whether this process may make files in dir, without making one.
func writable(dir string) error {
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return fmt.Errorf("%s can't be written by this user: %w", dir, err)
	}
	return nil
}

var errLocked = errors.New("locked")

// lock takes a lock that ends with the process; errLocked if another has it.
func lock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return errLocked
	}
	return err
}

// persist makes files and directories durable. It syncs whole file systems, each
// once: with thousands of small files that is many times faster than one by one.
func persist(dirs []*os.Root, _ []*os.File) error {
	var synced []uint64
	for _, dir := range dirs {
		if err := syncDevice(dir, &synced); err != nil {
			return fmt.Errorf("making files durable: %w", err)
		}
	}
	return nil
}

func syncDevice(dir *os.Root, synced *[]uint64) (err error) {
	f, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return f.Sync()
	}
	for _, dev := range *synced {
		if dev == uint64(st.Dev) {
			return nil
		}
	}
	*synced = append(*synced, uint64(st.Dev))
	return unix.Syncfs(int(f.Fd()))
}

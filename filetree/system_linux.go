package filetree

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/lmsvault/vault/internal/diskspace"
	"golang.org/x/sys/unix"

	"github.com/lmsvault/vault/core/stage"
)

// Fingerprint identifies the state of a file: size, times of change of content and
// inode, inode number. It is "" for a file that changed so recently that a later
// change could have the same times.
func Fingerprint(info fs.FileInfo, now time.Time) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	tick := 100 * time.Millisecond // resolution of a local file system's clock
	if st.Ctim.Nsec == 0 {
		tick = 2 * time.Second // a file system that keeps seconds
	}
	changed := time.Unix(st.Ctim.Unix())
	if changed.After(now.Add(-tick)) {
		return ""
	}
	return fmt.Sprintf("%x.%x.%x.%x.%x.%x", st.Size, st.Mtim.Sec, st.Mtim.Nsec, st.Ctim.Sec, st.Ctim.Nsec, st.Ino)
}

// setFarTime sets the times of name in dir, in seconds and nanoseconds.
func setFarTime(dir *os.Root, name string, t time.Time) (err error) {
	f, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	at := unix.Timespec{Sec: t.Unix(), Nsec: int64(t.Nanosecond())}
	if err := unix.UtimesNanoAt(int(f.Fd()), name, []unix.Timespec{at, at}, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return fmt.Errorf("setting the time of %s: %w", name, err)
	}
	return nil
}

// space returns the free space of a file system; inodes is -1 if it has no such
// limit.
func space(dir string) (bytes, inodes int64, err error) {
	free, err := diskspace.Free(dir)
	return free.Bytes, free.Inodes, err
}

// writable reports whether this process may create files in dir, without creating
// one.
func writable(dir string) error {
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return fmt.Errorf("%s is not writable for this user: %w", dir, err)
	}
	return nil
}

// ownersNeed lists the capabilities needed to work with files of other users.
var ownersNeed = []struct {
	bit  uint
	name string
}{{unix.CAP_CHOWN, "CAP_CHOWN"}, {unix.CAP_FOWNER, "CAP_FOWNER"}, {unix.CAP_FSETID, "CAP_FSETID"}, {unix.CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE"}}

// lacksForOwners returns the capabilities that this process lacks for changing
// owners; "" for none.
func lacksForOwners() (string, error) {
	var data [2]unix.CapUserData
	if err := unix.Capget(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &data[0]); err != nil {
		return "", err
	}
	var lacks []string
	for _, c := range ownersNeed {
		if data[0].Effective&(1<<c.bit) == 0 {
			lacks = append(lacks, c.name)
		}
	}
	return strings.Join(lacks, ", "), nil
}

// ownLink sets the owner of a symbolic link and verifies it. It never changes
// anything but a link, which could have been replaced meanwhile.
func ownLink(dir *os.Root, name string, o stage.Owner) (err error) {
	if err := valid(o); err != nil {
		return err
	}
	parent, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, parent.Close()) }()
	fd, err := unix.Openat(int(parent.Fd()), name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "openat", Path: name, Err: err}
	}
	link := os.NewFile(uintptr(fd), name)
	defer func() { err = errors.Join(err, link.Close()) }()
	info, err := link.Stat()
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink == 0 {
		return fmt.Errorf("%s was replaced while it was created", name)
	}
	if err := unix.Fchownat(fd, "", int(o.UID), int(o.GID), unix.AT_EMPTY_PATH); err != nil {
		return notOwned(o, &fs.PathError{Op: "fchownat", Path: name, Err: err})
	}
	return belongs(o, link.Stat)
}

var errLocked = errors.New("locked")

// lock takes a lock that ends with the process; it returns errLocked if another
// process has it.
func lock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return errLocked
	}
	return err
}

// fileSystems holds the file systems that were written to. Each is kept open from the
// first write on: a sync then reports all errors since, not only since the last sync.
type fileSystems struct{ byDevice map[uint64]*os.File }

func (x *fileSystems) add(dir *os.Root) error {
	info, err := dir.Stat(".")
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return errors.New("unknown device")
	}
	if x.byDevice[st.Dev] != nil {
		return nil
	}
	f, err := dir.Open(".")
	if err != nil {
		return err
	}
	if x.byDevice == nil {
		x.byDevice = map[uint64]*os.File{}
	}
	x.byDevice[st.Dev] = f
	return nil
}

func (x *fileSystems) all() []*os.File { return slices.Collect(maps.Values(x.byDevice)) }

func (x *fileSystems) closeAll() error {
	var errs []error
	for _, f := range x.byDevice {
		errs = append(errs, f.Close())
	}
	x.byDevice = nil
	return errors.Join(errs...)
}

// syncAll syncs whole file systems: with thousands of small files that is much faster
// than one by one.
func syncAll(fileSystems []*os.File) error {
	for _, f := range fileSystems {
		if err := unix.Syncfs(int(f.Fd())); err != nil {
			return err
		}
	}
	return nil
}

// syncFile and syncDir leave syncing to syncAll.
func syncFile(*os.File) error { return nil }

func syncDir(*os.Root) error { return nil }

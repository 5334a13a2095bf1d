//go:build !linux

package filetree

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// Fingerprint is unknown on this system: every file is read.
func Fingerprint(fs.FileInfo, time.Time) string { return "" }

// setFarTime sets the nearest time that Go supports here; lostTime detects the
// difference.
func setFarTime(dir *os.Root, name string, t time.Time) error {
	near := time.Unix(0, math.MaxInt64)
	if t.Before(near) {
		near = time.Unix(0, math.MinInt64)
	}
	return dir.Chtimes(name, near, near)
}

func space(string) (bytes, inodes int64, err error) { return math.MaxInt64, -1, nil }

func writable(string) error { return nil }

// lacksForOwners returns what this process lacks for changing owners; "" for nothing.
func lacksForOwners() (string, error) {
	if os.Geteuid() != 0 {
		return "being root", nil
	}
	return "", nil
}

// ownLink sets the owner of a symbolic link and verifies it.
func ownLink(dir *os.Root, name string, o stage.Owner) error {
	if err := valid(o); err != nil {
		return err
	}
	if err := dir.Lchown(name, int(o.UID), int(o.GID)); err != nil {
		return notOwned(o, err)
	}
	return belongs(o, func() (fs.FileInfo, error) { return dir.Lstat(name) })
}

var errLocked = errors.New("locked")

func lock(*os.File) error { return nil }

// fileSystems does nothing: files and directories are synced one by one.
type fileSystems struct{}

func (fileSystems) add(*os.Root) error { return nil }

func (fileSystems) all() []*os.File { return nil }

func (fileSystems) closeAll() error { return nil }

func syncAll([]*os.File) error { return nil }

func syncFile(f *os.File) error { return f.Sync() }

func syncDir(dir *os.Root) error {
	f, err := dir.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

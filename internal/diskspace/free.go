// Package diskspace reads the free space of file systems.
package diskspace

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// Space is the free space of a file system that this user may use.
type Space struct {
	Bytes  int64
	Inodes int64 // files and directories; -1 if there is no such limit
}

// Free returns the free space of a directory's file system (statfs(2)). Its error is
// an *fs.PathError.
func Free(dir string) (Space, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return Space{}, &fs.PathError{Op: "read the free space of", Path: dir, Err: err}
	}
	s := Space{Bytes: int64(st.Bavail) * int64(st.Bsize), Inodes: int64(st.Ffree)}
	if st.Files == 0 {
		s.Inodes = -1
	}
	return s, nil
}

//go:build unix

package filetree

import (
	"io/fs"
	"syscall"

	"github.com/lmsvault/vault/core/stage"
)

// Owner returns the owner of a file.
func Owner(info fs.FileInfo) stage.Owner {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return stage.Owner{}
	}
	return stage.Owner{Known: true, UID: st.Uid, GID: st.Gid}
}

// inodeOf returns the inode number of a file, 0 if the system has none.
func inodeOf(info fs.FileInfo) uint64 {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return uint64(st.Ino)
}

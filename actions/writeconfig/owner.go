package writeconfig

import (
	"io/fs"
	"os"
	"syscall"
)

// own gives a new file the owner of another one. Only root can, so nothing is done if it
// is the owner already.
func own(f *os.File, like fs.FileInfo) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	old, ok := like.Sys().(*syscall.Stat_t)
	now, both := info.Sys().(*syscall.Stat_t)
	if !ok || !both || old.Uid == now.Uid && old.Gid == now.Gid {
		return nil
	}
	return f.Chown(int(old.Uid), int(old.Gid))
}

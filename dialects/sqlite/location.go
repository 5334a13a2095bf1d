package sqlite

import (
	"fmt"
	"os"
	"syscall"
)

// Location names a file by what it is, not by its path: symbolic links, hard links
// and other spellings give the same. It holds on this machine, while the file exists.
func Location(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", fmt.Errorf("%s: the system does not tell which file it is", path)
	}
	return fmt.Sprintf("%s:%x:%x", Dialect, st.Dev, st.Ino), nil
}

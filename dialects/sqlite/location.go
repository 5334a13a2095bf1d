package sqlite

import (
	"fmt"
	"os"
	"syscall"
)

// Location identifies a file independently of its path: symbolic links, hard links
// and other spellings yield the same. It is valid on this machine, while the file
// exists.
func Location(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", fmt.Errorf("%s: cannot identify the file on this system", path)
	}
	return fmt.Sprintf("%s:%x:%x", Dialect, st.Dev, st.Ino), nil
}

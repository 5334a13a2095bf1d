package lockfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// regular refuses what is no regular file itself.
func regular(info fs.FileInfo) error {
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0:
		return errors.New("it is a symbolic link, which can be led elsewhere at any time: put the file itself there")
	case mode.IsDir():
		return errors.New("it is a folder, not a file")
	case !mode.IsRegular():
		return errors.New("it is not a regular file")
	}
	return nil
}

// trusted refuses a file or folder that somebody else than root and the current
// user may change. info is not that of a link.
func trusted(path string, info fs.FileInfo) error {
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%s: this system doesn't tell whom it belongs to", path)
	}
	if uid, me := int(owner.Uid), os.Geteuid(); uid != 0 && uid != me {
		return fmt.Errorf("%s belongs to user %d, who is neither root nor the one that runs vault (user %d): run chown %d %s if you trust what it holds", path, uid, me, me, quoted(path))
	}
	var who []string
	mode := info.Mode().Perm()
	if mode&0o020 != 0 {
		who = append(who, "its group")
	}
	if mode&0o002 != 0 {
		who = append(who, "everybody")
	}
	if who == nil {
		return nil
	}
	return fmt.Errorf("%s may be changed by %s (mode %04o): run chmod go-w %s if you trust what it holds", path, strings.Join(who, " and "), mode, quoted(path))
}

// Trusted refuses a program that somebody else than root and the current user may
// change or put another in the place of. The error says what to do.
func Trusted(file string) error {
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return err
	}
	for _, path := range []string{real, filepath.Dir(real), filepath.Dir(file)} {
		info, err := os.Stat(path)
		if err == nil {
			err = trusted(path, info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// quoted is a path as a shell takes it.
func quoted(path string) string {
	if strings.HasPrefix(path, "-") {
		path = "./" + path
	}
	if goodPath.MatchString(strings.TrimPrefix(path, "/")) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

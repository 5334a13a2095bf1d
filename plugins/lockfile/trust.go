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

// regular returns an error if info is not that of a regular file.
func regular(info fs.FileInfo) error {
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0:
		return errors.New("it is a symbolic link, whose target may change at any time; put the file itself there")
	case mode.IsDir():
		return errors.New("it is a directory, not a file")
	case !mode.IsRegular():
		return errors.New("it is not a regular file")
	}
	return nil
}

// trusted returns an error if a user other than root and the current one may change the
// file or directory. info must not be that of a symbolic link.
func trusted(path string, info fs.FileInfo) error {
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%s: the owner can't be determined on this system", path)
	}
	if uid, me := int(owner.Uid), os.Geteuid(); uid != 0 && uid != me {
		return fmt.Errorf("%s is owned by user %d, not by root or the current user (%d); if you trust its content, run chown %d %s", path, uid, me, me, quoted(path))
	}
	var who []string
	mode := info.Mode().Perm()
	if mode&0o020 != 0 {
		who = append(who, "its group")
	}
	if mode&0o002 != 0 {
		who = append(who, "others")
	}
	if who == nil {
		return nil
	}
	return fmt.Errorf("%s is writable by %s (mode %04o); run chmod go-w %s if you trust its content", path, strings.Join(who, " and "), mode, quoted(path))
}

// Trusted returns an error if a user other than root and the current one may change or
// replace a program. The error includes the remedy.
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

// quoted quotes a path for the shell.
func quoted(path string) string {
	if strings.HasPrefix(path, "-") {
		path = "./" + path
	}
	if goodPath.MatchString(strings.TrimPrefix(path, "/")) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

package siteconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/lmsvault/vault/core/failure"
)

// FileName is the name of Moodle's configuration file.
const FileName = "config.php"

// Location holds the paths of a site's code.
type Location struct {
	File string // config.php
	Dir  string // the directory with config.php
	Web  string // the directory with version.php: Dir, or public in it since Moodle 5.1
}

// Find locates config.php. path is the file, the directory of Moodle's code, or since
// Moodle 5.1 the directory public in it. The error is fs.ErrNotExist if there is no
// config.php.
func Find(path string) (Location, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Location{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return Location{}, failure.Wrap(failure.Usage, fmt.Errorf("looking for Moodle's config.php: %w", err))
	}
	if !info.IsDir() {
		return locate(path), nil
	}
	candidates := []string{filepath.Join(path, FileName), filepath.Join(path, "public", FileName)}
	if filepath.Base(path) == "public" {
		// Moodle's own public/config.php only includes the one above.
		candidates = append([]string{filepath.Join(filepath.Dir(path), FileName)}, candidates...)
	}
	for _, file := range candidates {
		info, err := os.Stat(file)
		if err == nil && info.Mode().IsRegular() {
			return locate(file), nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Location{}, failure.Wrap(failure.Usage, fmt.Errorf("looking for Moodle's config.php: %w", err))
		}
	}
	return Location{}, failure.Wrap(failure.Usage, fmt.Errorf("%s has no config.php; give the directory of Moodle's code: %w", path, fs.ErrNotExist))
}

func locate(file string) Location {
	l := Location{File: file, Dir: filepath.Dir(file)}
	l.Web = l.Dir
	if _, err := os.Stat(filepath.Join(l.Dir, "public", "version.php")); err == nil {
		l.Web = filepath.Join(l.Dir, "public")
	}
	return l
}

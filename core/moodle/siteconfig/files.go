package siteconfig

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// maxFile is the maximum size of a file, in bytes.
const maxFile = 1 << 20

// confined reads regular files below a set of directories.
type confined struct{ roots []string }

// secretDirs lists the directories where container runtimes mount secrets.
var secretDirs = []string{"/run/secrets", "/var/run/secrets"}

// confine allows the directory of config.php, before and after symlinks are resolved,
// the directories above these two, and more.
func confine(file, real string, more []string) confined {
	var c confined
	for _, dir := range []string{filepath.Dir(file), filepath.Dir(real)} {
		c.roots = append(c.roots, dir)
		// Not /etc or /srv, which contain files of others.
		if above := filepath.Dir(dir); strings.Count(above, "/") >= 2 {
			c.roots = append(c.roots, above)
		}
	}
	for _, dir := range more {
		c.roots = append(c.roots, dir)
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			c.roots = append(c.roots, real)
		}
	}
	c.roots = append(c.roots, secretDirs...)
	return c
}

func (c confined) allows(path string) bool {
	for _, root := range c.roots {
		if rel, err := filepath.Rel(root, path); err == nil && filepath.IsLocal(rel) {
			return true
		}
	}
	return false
}

// Read returns the content of a file. Symlinks must not lead out of the directories.
func (c confined) Read(path string) (content []byte, err error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	if !c.allows(real) {
		return nil, fmt.Errorf("%s is outside of the site's directories", real)
	}
	f, err := os.OpenFile(real, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe must not block
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", real)
	}
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// Stat describes the file at a path, which may be anywhere.
func (c confined) Stat(path string) (fs.FileInfo, error) { return os.Stat(path) }

// Real returns a path with its symlinks resolved.
func (c confined) Real(path string) (string, error) { return filepath.EvalSymlinks(path) }

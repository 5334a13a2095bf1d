package filetree

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/lmsvault/vault/core/failure"
)

// placeSuffix ends the names of the facts that say where files are read from.
const placeSuffix = " place"

// Place is the fact by which a sink tells whether it would write into what a
// source reads: the part's name and the directory without symlinks in its path.
func Place(part, dir string) (name, place string, err error) {
	abs, err := filepath.Abs(dir)
	if err == nil {
		place, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return "", "", failure.New(failure.Refused, "finding out where %s is: %w", dir, err)
	}
	return part + placeSuffix, place, nil
}

// apart refuses a target in a directory that is read, or one that is replaced
// around it, by whatever path either is called. existing is the part of the
// target's path that is there.
func (s *Sink) apart(existing string, facts map[string]string) error {
	_, real, err := Place("", existing)
	if err != nil {
		return err
	}
	target, err := filepath.Abs(s.dir)
	if err != nil {
		return fmt.Errorf("finding out where %s is: %w", s.dir, err)
	}
	if above, err := filepath.Abs(existing); err == nil {
		target = real + strings.TrimPrefix(target, above)
	}
	for name, source := range facts {
		if !strings.HasSuffix(name, placeSuffix) {
			continue
		}
		if inside(target, source) || s.replace && inside(source, target) || sameDir(target, source) {
			return failure.New(failure.Refused, "%s can't be restored into: it is, or overlaps, %s, which the %s is read from", s.dir, source, strings.TrimSuffix(name, placeSuffix))
		}
	}
	return nil
}

func inside(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// sameDir sees through bind mounts.
func sameDir(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}

package filetree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/lmsvault/vault/core/selection"
)

// Glob returns the first path below dir, in byte order, that matches a pattern; ""
// for none. What cannot be read matches nothing. It follows no links; a link that
// would have to be followed counts as a match.
func Glob(dir *os.Root, pattern string) (found string, err error) {
	element, rest, deeper := strings.Cut(pattern, "/")
	if !strings.Contains(element, "*") {
		return globbed(dir, element, rest, deeper)
	}
	for name, err := range Names(dir) {
		if unreadable(err) {
			return "", nil
		}
		if err != nil {
			return "", fmt.Errorf("searching for %s: %w", pattern, err)
		}
		if !selection.Matches(element, name) {
			continue
		}
		if found, err := globbed(dir, name, rest, deeper); err != nil || found != "" {
			return found, err
		}
	}
	return "", nil
}

// globbed searches for the rest of a pattern in the entry name of dir.
func globbed(dir *os.Root, name, rest string, deeper bool) (found string, err error) {
	info, err := dir.Lstat(name)
	switch {
	case unreadable(err):
		return "", nil
	case err != nil:
		return "", err
	case !deeper:
		return name, nil
	case info.Mode()&fs.ModeSymlink != 0:
		return name + "/" + rest, nil
	case !info.IsDir():
		return "", nil
	}
	below, err := OpenDir(dir, name)
	if unreadable(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, below.Close()) }()
	found, err = Glob(below, rest)
	if found != "" {
		found = name + "/" + found
	}
	return found, err
}

func unreadable(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
}

// Excluded returns, for each pattern of a selection that matches something in the
// directory of a part, the first match.
func Excluded(dir *os.Root, part string, s *selection.Selection) ([]selection.Excluded, error) {
	var list []selection.Excluded
	for _, pattern := range s.ExcludeBelow(part) {
		found, err := Glob(dir, pattern)
		if err != nil {
			return nil, fmt.Errorf("searching for select: exclude_files: %w", err)
		}
		if found != "" {
			list = append(list, selection.Excluded{Path: part + "/" + found, Pattern: part + "/" + pattern})
		}
	}
	return list, nil
}

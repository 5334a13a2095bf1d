package filetree

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lmsvault/vault/core/config"
)

// CheckPath rejects paths that cannot name an entry below a root: empty or absolute
// paths, empty, "." and ".." elements, NUL. Any other bytes are allowed.
func CheckPath(path string) error {
	if strings.IndexByte(path, 0) >= 0 {
		return fmt.Errorf("path %q contains a NUL byte", path)
	}
	for element := range strings.SplitSeq(path, "/") {
		if element == "" || element == "." || element == ".." {
			return fmt.Errorf("path %q is not clean and relative: it has the element %q", path, element)
		}
	}
	return nil
}

// CheckSetting checks the paths of a setting, which are relative to a directory that
// messages call root.
func CheckSetting(key string, paths []string, root string) error {
	var errs []error
	for _, path := range paths {
		if err := CheckPath(path); err != nil {
			errs = append(errs, config.At(key, "%w; write it relative to %s", err, root))
		}
	}
	return errors.Join(errs...)
}

// Below returns a checked path relative to the part that it begins with.
func Below(part, path string) (rel string, err error) {
	rel, ok := strings.CutPrefix(path, part+"/")
	if !ok {
		return "", fmt.Errorf("path %q is not below %s", path, part)
	}
	if err := CheckPath(rel); err != nil {
		return "", err
	}
	return rel, nil
}

// split divides a relative path into its directory ("" for the root) and its last element.
func split(path string) (dir, name string) {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)], path[i+1:]
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// Within reports whether path is dir or below it.
func Within(path, dir string) bool {
	rest, ok := strings.CutPrefix(path, dir)
	return ok && (rest == "" || rest[0] == '/')
}

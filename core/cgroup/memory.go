// Package cgroup finds the memory limit that control groups set for this process: the limit
// of a container, a systemd service or a batch job.
package cgroup

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// unlimited is larger than any real limit. Version 1 writes the largest number of pages for
// "no limit".
const unlimited = 1 << 60

// Memory returns the smallest memory limit in bytes among the process's own group and its
// ancestors, or 0 if there is none. root is "/", or a directory for tests. Files that can't
// be read are ignored.
func Memory(root string) int64 {
	text, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0
	}
	limit := int64(unlimited)
	for line := range strings.Lines(string(text)) {
		// HIERARCHY:CONTROLLERS:PATH, see cgroups(7).
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(fields) < 3:
		case fields[0] == "0" && fields[1] == "":
			for _, mount := range []string{"sys/fs/cgroup", "sys/fs/cgroup/unified"} {
				limit = min(limit, smallest(filepath.Join(root, mount), fields[2], "memory.max", "memory.high"))
			}
		case hasMemory(fields[1]):
			limit = min(limit, smallest(filepath.Join(root, "sys/fs/cgroup/memory"), fields[2], "memory.limit_in_bytes"))
		}
	}
	if limit == unlimited {
		return 0
	}
	return limit
}

func hasMemory(controllers string) bool {
	for c := range strings.SplitSeq(controllers, ",") {
		if c == "memory" {
			return true
		}
	}
	return false
}

// smallest returns the smallest limit in the group path below mount and its ancestors. A
// container sees its own group at the mount itself, whatever the path says.
func smallest(mount, path string, files ...string) int64 {
	limit := int64(unlimited)
	for path = filepath.Clean("/" + path); ; path = filepath.Dir(path) {
		for _, file := range files {
			text, err := os.ReadFile(filepath.Join(mount, path, file))
			if err != nil {
				continue
			}
			n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64) // "max" is none
			if err == nil && n > 0 {
				limit = min(limit, n)
			}
		}
		if path == "/" {
			return limit
		}
	}
}

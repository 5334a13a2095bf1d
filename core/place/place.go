// Package place compares paths by where they lead on this machine. It detects that two
// paths name the same file or directory, or that one contains the other, through symbolic
// links, bind mounts and hard links.
//
// Call Here, then Find for each path, and compare with Within. A path that does not exist
// yet is judged by its nearest existing parent directory. Where a path can't be inspected,
// its text is compared. Nothing is modified or opened for reading.
package place

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Place is the location that a path leads to.
type Place struct {
	Path string // absolute; symbolic links are resolved as far as the path exists

	machine *Machine
	levels  []level // Path and its parent directories, as far as they exist, nearest first
}

// level is a file or directory on the way to a place.
type level struct {
	path string
	info fs.FileInfo
}

// Machine knows the mounts. It doesn't change after Here.
type Machine struct{ mounts []mount }

// Here reads the current mounts. If the system does not report mounts, a bind mount is only
// detected if one of the two compared places is itself above the other.
func Here() *Machine { return &Machine{mounts: mounted()} }

// Find returns the place that a path leads to.
func (m *Machine) Find(path string) Place {
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = filepath.Clean(path)
	}
	p := Place{Path: abs, machine: m}
	for at := abs; ; at = filepath.Dir(at) {
		if real, err := filepath.EvalSymlinks(at); err == nil {
			p.Path = filepath.Join(real, strings.TrimPrefix(abs, at))
			break
		}
		if at == filepath.Dir(at) {
			break
		}
	}
	for at := p.Path; ; at = filepath.Dir(at) {
		if info, err := os.Stat(at); err == nil {
			p.levels = append(p.levels, level{at, info})
		}
		if at == filepath.Dir(at) {
			return p
		}
	}
}

// info returns the file info of the place, or nil if it does not exist.
func (p Place) info() fs.FileInfo {
	if len(p.levels) > 0 && p.levels[0].path == p.Path {
		return p.levels[0].info
	}
	return nil
}

// Same reports whether both places are the same file or directory.
func (p Place) Same(q Place) bool { return p.Within(q) && q.Within(p) }

// Within reports whether p is q or lies below it.
func (p Place) Within(q Place) bool {
	if within(p.Path, q.Path) {
		return true
	}
	if there := q.info(); there != nil {
		for _, l := range p.levels {
			if os.SameFile(l.info, there) {
				return true
			}
		}
	}
	return p.mountedIn(q)
}

// within reports whether path is dir or lies below it; both are clean absolute paths.
func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator))
}

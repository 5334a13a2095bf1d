// Package place tells whether two paths lead to the same folder or file of this
// machine, or one into the other, whatever they are called: symbolic links, bind
// mounts, hard links and names that differ only for us are seen through.
//
// Start with Here, then Find each path and compare with Within. A path that does
// not exist yet counts by the nearest folder above it that does. What can't be
// looked at is compared by its text. Nothing is changed or opened for reading.
package place

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Place is where a path leads.
type Place struct {
	Path string // absolute, without symbolic links as far as it exists

	machine *Machine
	levels  []level // Path and the folders above it, the nearest first, that exist
}

// level is a folder or file on the way to a place.
type level struct {
	path string
	info fs.FileInfo
}

// Machine knows what is mounted where. It doesn't change after Here.
type Machine struct{ mounts []mount }

// Here looks at what is mounted now. Where the system doesn't tell, bind mounts
// are only seen if one of them is itself above the other place.
func Here() *Machine { return &Machine{mounts: mounted()} }

// Find says where a path leads.
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

// info is what is at the place; nil if nothing is yet.
func (p Place) info() fs.FileInfo {
	if len(p.levels) > 0 && p.levels[0].path == p.Path {
		return p.levels[0].info
	}
	return nil
}

// Same tells whether both are one folder or file.
func (p Place) Same(q Place) bool { return p.Within(q) && q.Within(p) }

// Within tells whether p is q or lies below it.
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

// within compares clean absolute paths.
func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator))
}

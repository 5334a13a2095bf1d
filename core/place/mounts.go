package place

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// mount is a part of a file system and the directory where it is mounted.
type mount struct {
	device string
	root   string // path of the part in its file system
	point  string // mount point
}

// parseMounts parses the format of /proc/self/mountinfo, see proc(5).
func parseMounts(r io.Reader) []mount {
	var mounts []mount
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 5 || !strings.HasPrefix(f[3], "/") || !strings.HasPrefix(f[4], "/") {
			continue
		}
		mounts = append(mounts, mount{device: f[2], root: unescape(f[3]), point: unescape(f[4])})
	}
	if lines.Err() != nil {
		return nil
	}
	return mounts
}

func mounted() []mount {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	defer f.Close()
	return parseMounts(f)
}

// MountedIn returns the mount points below a directory, relative to it. It returns none if
// the system does not report mounts.
func (m *Machine) MountedIn(dir string) (paths []string) {
	real := m.Find(dir).Path
	for _, mount := range m.mounts {
		if rel, err := filepath.Rel(real, mount.point); err == nil && mount.point != real && within(mount.point, real) {
			paths = append(paths, rel)
		}
	}
	return paths
}

// unescape decodes octal escapes such as \040.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// region identifies a directory by its file system instead of its mount point.
type region struct{ device, path string }

// region returns the region of a path; ok is false if the mounts are not known.
func (m *Machine) region(path string) (region, bool) {
	var best *mount
	for i := range m.mounts {
		if c := &m.mounts[i]; within(path, c.point) && (best == nil || len(c.point) >= len(best.point)) {
			best = c // a later mount hides an earlier one at the same point
		}
	}
	if best == nil {
		return region{}, false
	}
	return region{best.device, filepath.Join(best.root, strings.TrimPrefix(path, best.point))}, true
}

// mountedIn reports whether p is visible below q under another name: a file system region
// that contains p is mounted at or below q.
func (p Place) mountedIn(q Place) bool {
	if len(p.levels) == 0 {
		return false
	}
	nearest := p.levels[0]
	wanted, ok := p.machine.region(p.Path)
	has, ok2 := p.machine.region(nearest.path)
	if !ok || !ok2 {
		return false
	}
	// shown reports whether a directory that shows a region shows p. Device numbers of
	// network file systems are not always unique, so the files are compared too.
	shown := func(r region, dir string) bool {
		switch {
		case r.device != wanted.device || !within(wanted.path, r.path):
			return false
		case !within(has.path, r.path): // neither p nor the directory exists yet
			return len(q.levels) > 0 && os.SameFile(nearest.info, q.levels[0].info)
		}
		info, err := os.Stat(filepath.Join(dir, strings.TrimPrefix(has.path, r.path)))
		return err == nil && os.SameFile(info, nearest.info)
	}
	if r, ok := p.machine.region(q.Path); ok && shown(r, q.Path) {
		return true
	}
	for _, m := range p.machine.mounts {
		if m.point != q.Path && within(m.point, q.Path) && shown(region{m.device, m.root}, m.point) {
			return true
		}
	}
	return false
}

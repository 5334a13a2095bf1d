package filetree

import "io/fs"

var modeBits = [...]struct {
	file fs.FileMode
	unix uint32
}{{fs.ModeSetuid, 0o4000}, {fs.ModeSetgid, 0o2000}, {fs.ModeSticky, 0o1000}}

// Mode converts a file's mode to the permission bits of stat(2), 0o7777.
func Mode(m fs.FileMode) uint32 {
	bits := uint32(m.Perm())
	for _, b := range modeBits {
		if m&b.file != 0 {
			bits |= b.unix
		}
	}
	return bits
}

// FileMode is the inverse of Mode.
func FileMode(bits uint32) fs.FileMode {
	m := fs.FileMode(bits & 0o777)
	for _, b := range modeBits {
		if bits&b.unix != 0 {
			m |= b.file
		}
	}
	return m
}

package local

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"
)

// makeDirs makes the directories of name and of the storage itself, each synced
// into its parent: a file in a directory that a crash forgot would be lost with it.
func (s *storage) makeDirs(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.makeDirsLocked(name)
}

func (s *storage) makeDirsLocked(name string) error {
	if s.dirs[name] {
		return nil
	}
	if name == "." {
		if err := os.MkdirAll(s.dir, dirMode); err != nil {
			return err
		}
		return s.madeLocked(name, filepath.Dir(s.dir))
	}
	if err := s.makeDirsLocked(path.Dir(name)); err != nil {
		return err
	}
	if err := os.Mkdir(s.file(name), dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return s.madeLocked(name, s.file(path.Dir(name)))
}

func (s *storage) madeLocked(name, parent string) error {
	// The storage's own parent may be one that we may not open.
	if err := syncDir(parent); err != nil && (name != "." || !errors.Is(err, fs.ErrPermission)) {
		return err
	}
	if s.dirs == nil {
		s.dirs = map[string]bool{}
	}
	s.dirs[name] = true
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil // a file system without such a thing, as some shares
	}
	return errors.Join(err, d.Close())
}

// claimTemp makes tmp and takes a shared lock on it, once. Who gets it exclusively
// first is alone: all writers there were have ended, or were killed, and what
// they left is swept. The system frees the lock of a process that dies.
func (s *storage) claimTemp() (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.temp != nil {
		return nil
	}
	if err := s.makeDirsLocked(tempDir); err != nil {
		return err
	}
	d, err := os.Open(s.file(tempDir))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	switch err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case err == nil:
		if err := s.sweep(d); err != nil {
			return err
		}
		if err := syscall.Flock(int(d.Fd()), syscall.LOCK_SH); err != nil {
			return &fs.PathError{Op: "lock", Path: d.Name(), Err: err}
		}
	case errors.Is(err, syscall.EWOULDBLOCK):
		if err := syscall.Flock(int(d.Fd()), syscall.LOCK_SH); err != nil {
			return &fs.PathError{Op: "lock", Path: d.Name(), Err: err}
		}
	default: // a share without locks: leftovers stay
	}
	s.temp = d
	return nil
}

func (s *storage) sweep(d *os.File) error {
	names, err := d.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := os.Remove(filepath.Join(d.Name(), name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"syscall"
)

// tempPrefix is the prefix of temporary file names; 26 characters of base32 follow.
const tempPrefix = "put-"

var tempName = regexp.MustCompile(`^` + tempPrefix + `[A-Z2-7]{26}$`)

// makeDirs creates the directories of name and of the storage itself and syncs each
// into its parent: otherwise a crash could lose a directory with the files in it.
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
		return s.makeRootLocked()
	}
	if err := s.makeDirsLocked(path.Dir(name)); err != nil {
		return err
	}
	if err := s.root.Mkdir(name, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := s.syncDir(s.root, path.Dir(name)); err != nil {
		return err
	}
	s.dirs[name] = true
	return nil
}

func (s *storage) makeRootLocked() error {
	if err := os.MkdirAll(s.dir, dirMode); err != nil {
		return err
	}
	if _, err := s.inLocked(); err != nil {
		return err
	}
	parent, err := os.Open(filepath.Dir(s.dir))
	if err == nil {
		err = errors.Join(s.settle(parent), parent.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrPermission) { // the storage's parent directory may not be accessible
		return err
	}
	s.dirs = map[string]bool{".": true}
	return nil
}

func (s *storage) syncDir(root *os.Root, dir string) error {
	d, err := root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(s.settle(d), d.Close())
}

// settle makes the names in a directory durable.
func (s *storage) settle(d *os.File) error {
	err := s.sync(d)
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil // not supported by the file system, such as some shares
	}
	return err
}

// claimTemp creates tmp and takes a shared lock on it, once. A process that gets the
// lock exclusively first is alone: all earlier writers have ended or were killed, and
// their files are removed. The system releases the lock of a process that dies.
func (s *storage) claimTemp() (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.temp != nil {
		return nil
	}
	if err := s.makeDirsLocked("."); err != nil {
		return err
	}
	if _, err := s.leftovers(s.root); err != nil { // before changing tmp
		return err
	}
	if err := s.makeDirsLocked(tempDir); err != nil {
		return err
	}
	d, err := s.root.OpenFile(tempDir, os.O_RDONLY|syscall.O_DIRECTORY, 0)
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
		if err := s.sweep(); err != nil {
			return err
		}
		if err := syscall.Flock(int(d.Fd()), syscall.LOCK_SH); err != nil {
			return &fs.PathError{Op: "lock", Path: d.Name(), Err: err}
		}
	case errors.Is(err, syscall.EWOULDBLOCK):
		if err := syscall.Flock(int(d.Fd()), syscall.LOCK_SH); err != nil {
			return &fs.PathError{Op: "lock", Path: d.Name(), Err: err}
		}
	default: // a share without locks: temporary files stay
	}
	s.temp = d
	return nil
}

// sweep removes temporary files of killed writers.
func (s *storage) sweep() error {
	names, err := s.leftovers(s.root)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := s.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// leftovers returns the temporary files in tmp. It refuses a tmp with other contents,
// which belongs to someone else.
func (s *storage) leftovers(root *os.Root) ([]string, error) {
	info, err := root.Lstat(tempDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a directory (%s); remove it, or use another directory for the repository", s.file(tempDir), info.Mode().Type())
	}
	found, err := readDir(root, tempDir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, d := range found {
		if !d.Type().IsRegular() || !tempName.MatchString(d.Name()) {
			return nil, fmt.Errorf("%s contains %q, which Vault did not create; move it away, or use another directory for the repository", s.file(tempDir), d.Name())
		}
		names = append(names, path.Join(tempDir, d.Name()))
	}
	return names, nil
}

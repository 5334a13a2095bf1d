package filetree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// folders holds the open directories of a unit by path; "" is the root. It is used by
// one goroutine.
type folders struct {
	sink  *Sink
	open  map[string]*os.Root
	wrote written // by this unit
}

// Maximum number of open directories per unit.
const maxOpen = 128

func newFolders(s *Sink) *folders { return &folders{sink: s, open: map[string]*os.Root{"": s.root}} }

// dir opens the directory at a path and creates missing ones, without following
// links.
func (f *folders) dir(path string) (*os.Root, error) {
	if d, ok := f.open[path]; ok {
		return d, nil
	}
	above, name := split(path)
	parent, err := f.dir(above)
	if err != nil {
		return nil, err
	}
	made, err := f.sink.makeDir(parent, name, path)
	if err != nil {
		return nil, err
	}
	if made {
		f.wrote.files++
	}
	d, err := OpenDir(parent, name)
	if err != nil {
		return nil, fmt.Errorf("opening the directory %s: %w", path, err)
	}
	if err := f.sink.disk.wrote(d); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	f.open[path] = d
	return d, nil
}

// makeRoom closes all directories if there are too many.
func (f *folders) makeRoom() error {
	if len(f.open) < maxOpen {
		return nil
	}
	return f.close()
}

func (f *folders) close() error {
	var errs []error
	if f.wrote.files > 0 {
		errs = append(errs, syncDir(f.sink.root))
	}
	for path, d := range f.open {
		if path == "" {
			continue
		}
		if f.wrote.files > 0 {
			errs = append(errs, syncDir(d))
		}
		errs = append(errs, d.Close())
		delete(f.open, path)
	}
	return errors.Join(errs...)
}

// commit passes on what was written, to be made durable.
func (f *folders) commit() error {
	err := f.close()
	if err == nil {
		err = f.sink.disk.commit(f.wrote)
	}
	f.wrote = written{}
	return err
}

// closed is the mode of an unfinished directory, which only this user can access.
// Finish sets its final mode.
const closed = 0o700

// makeDir creates a directory if it is missing, and ensures that this user can write
// to it. It records the final attributes for Finish.
func (s *Sink) makeDir(parent *os.Root, name, path string) (made bool, err error) {
	s.mu.Lock() // otherwise an entry's own mode could be recorded before this one
	defer s.mu.Unlock()
	err = parent.Mkdir(name, closed)
	switch {
	case err == nil:
		d, err := s.likeOld(path)
		return true, errors.Join(err, s.dirs.add(d))
	case errors.Is(err, fs.ErrExist):
		return false, s.unlockDir(parent, name, path)
	}
	return false, err
}

// likeOld returns the attributes of a directory that no entry describes: those of the
// old one if it or something in it is kept, else the mode of the root and the most
// common owner.
func (s *Sink) likeOld(path string) (dirState, error) {
	d := dirState{path: path, mode: s.mode}
	if s.area == nil || s.keeping(path) == Remove {
		return d, nil
	}
	info, err := s.base.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return d, nil
	}
	if err != nil {
		return d, err
	}
	return s.stateOf(path, info), nil
}

// stateOf returns the attributes of an existing directory, to be restored later.
func (s *Sink) stateOf(path string, info fs.FileInfo) dirState {
	return dirState{path, Mode(info.Mode()), info.ModTime(), s.owner(Owner(info))}
}

// unlockDir gives this user full access to an existing directory that it owns, until
// Finish restores the mode.
func (s *Sink) unlockDir(parent *os.Root, name, path string) error {
	info, err := parent.Lstat(name)
	if err != nil || !info.IsDir() || info.Mode()&closed == closed {
		return err
	}
	err = parent.Chmod(name, info.Mode()|closed)
	if errors.Is(err, fs.ErrPermission) {
		return nil // another user's: it may be accessible anyway
	}
	if err != nil {
		return err
	}
	return s.dirs.add(s.stateOf(path, info))
}

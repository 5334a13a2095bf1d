package filetree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// folders are the directories that a unit has open, by path; "" is the root. One goroutine.
type folders struct {
	sink  *Sink
	open  map[string]*os.Root
	wrote written // by this unit
}

// Most directories of a unit that are open at once.
const maxOpen = 128

func newFolders(s *Sink) *folders { return &folders{sink: s, open: map[string]*os.Root{"": s.root}} }

// dir opens the directory at a path, makes what is missing of it, and follows no link.
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

// makeRoom closes the directories if they are many.
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

// commit hands over what was written, to be made durable.
func (f *folders) commit() error {
	err := f.close()
	if err == nil {
		err = f.sink.disk.commit(f.wrote)
	}
	f.wrote = written{}
	return err
}

// closed is the mode of a directory that is not finished: nobody else sees what
// is in it. Finish gives each its own.
const closed = 0o700

// makeDir makes a directory if it isn't there, and sees to it that this user can
// write in it. What it must be in the end is kept for Finish.
func (s *Sink) makeDir(parent *os.Root, name, path string) (made bool, err error) {
	s.mu.Lock() // or an entry's own mode could be kept before this one
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

// likeOld returns what a directory gets that no entry describes: all of the old one's
// where that is kept, or something in it, else the mode of the root and the owner
// that most entries have.
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

// stateOf is what a directory is given back later that is there.
func (s *Sink) stateOf(path string, info fs.FileInfo) dirState {
	return dirState{path, Mode(info.Mode()), info.ModTime(), s.owner(Owner(info))}
}

// unlockDir gives this user all rights to a directory of his that was there
// before, until Finish gives it its mode back.
func (s *Sink) unlockDir(parent *os.Root, name, path string) error {
	info, err := parent.Lstat(name)
	if err != nil || !info.IsDir() || info.Mode()&closed == closed {
		return err
	}
	err = parent.Chmod(name, info.Mode()|closed)
	if errors.Is(err, fs.ErrPermission) {
		return nil // another's: perhaps it lets us in all the same
	}
	if err != nil {
		return err
	}
	return s.dirs.add(s.stateOf(path, info))
}

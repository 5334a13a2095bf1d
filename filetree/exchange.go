package filetree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// exchanger builds a journal. It changes nothing.
type exchanger struct {
	*Sink
	journal
	old map[string]string // new paths of the root's entries, by name
}

// plan lists the moves of an exchange: every entry of the root that is not kept moves
// out, and every entry of the new tree moves in. Preserved entries below them then
// move back to their paths.
func (s *Sink) plan() (*journal, error) {
	x := &exchanger{Sink: s, old: map[string]string{}}
	err := x.everything()
	if err != nil {
		return nil, fmt.Errorf("exchanging the old tree and the new one: %w", err)
	}
	return &x.journal, nil
}

func (x *exchanger) everything() (err error) {
	if x.marked, err = exists(x.base, MarkerName); err != nil {
		return err
	}
	if x.restored, err = exists(x.base, RestoredName); err != nil {
		return err
	}
	var names []string
	for name, err := range Names(x.base) {
		if err != nil {
			return err
		}
		if x.keeping(name) != Keep {
			names = append(names, name)
		}
	}
	for name, err := range Names(x.root) {
		if err != nil {
			return err
		}
		if x.keeping(name) == Keep {
			err = x.merge(name)
		} else {
			_, there := slices.BinarySearch(names, name)
			err = x.both(name, there)
		}
		if err != nil {
			return err
		}
	}
	for _, name := range names {
		if x.old[name] == "" {
			if err := x.leave(name); err != nil {
				return err
			}
		}
	}
	return x.preserves()
}

func inNew(path string) string { return SwapName + "/" + newName + "/" + path }

// both moves a path of the new tree in, and the existing entry out.
func (x *exchanger) both(path string, there bool) error {
	if there {
		if err := x.leave(path); err != nil {
			return err
		}
	}
	x.moves = append(x.moves, move{inNew(path), path})
	return x.state(&x.after, inNew(path), path)
}

// leave moves the entry at a path out.
func (x *exchanger) leave(path string) error {
	x.old[path] = SwapName + "/" + oldName + "/" + strconv.Itoa(len(x.old))
	x.moves = append(x.moves, move{path, x.old[path]})
	return x.state(&x.before, path, path)
}

// state records the attributes of the directory at now, to be set when it is at path.
func (x *exchanger) state(list *[]dirState, now, path string) error {
	info, err := x.base.Lstat(now)
	if err == nil && info.IsDir() {
		*list = append(*list, dirState{path: path, mode: Mode(info.Mode()), time: info.ModTime()})
	}
	return err
}

// merge moves the new tree's entries at a path beside those that are kept there, like
// entries written in place.
func (x *exchanger) merge(at string) error {
	from, err := x.base.Lstat(inNew(at))
	if err != nil {
		return err
	}
	to, err := x.base.Lstat(at)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return x.both(at, false)
	case err != nil:
		return err
	case from.Mode().IsRegular() && to.Mode().IsRegular() && x.layout.Overwrites(at):
		return x.both(at, true)
	case !from.IsDir() || !to.IsDir():
		return fmt.Errorf("%s: %w", at, errOccupied)
	}
	// No directory is moved here that would bring its owner.
	x.before = append(x.before, x.stateOf(at, to))
	x.after = append(x.after, x.stateOf(at, from))
	dir, err := OpenPath(x.root, at)
	if err != nil {
		return err
	}
	for name, err := range Names(dir) {
		if err == nil {
			err = x.merge(join(at, name))
		}
		if err != nil {
			return errors.Join(err, dir.Close())
		}
	}
	return dir.Close()
}

// preserves moves the preserved paths out of directories that leave.
func (x *exchanger) preserves() error {
	for _, p := range x.outermost() {
		top, rest, below := strings.Cut(p, "/")
		if !below || x.old[top] == "" {
			continue
		}
		there, err := x.within(x.base, p)
		if err != nil {
			return fmt.Errorf("preserving %s: %w", p, err)
		}
		if !there {
			continue
		}
		for at := path.Dir(p); at != "."; at = path.Dir(at) {
			if err := errors.Join(x.state(&x.before, at, at), x.state(&x.after, inNew(at), at)); err != nil {
				return fmt.Errorf("preserving %s: %w", p, err)
			}
		}
		x.moves = append(x.moves, move{x.old[top] + "/" + rest, p})
	}
	return nil
}

// outermost returns the preserved paths that are not below another one.
func (s *Sink) outermost() []string {
	paths := slices.Compact(slices.Sorted(slices.Values(s.preserve)))
	return slices.DeleteFunc(slices.Clone(paths), func(p string) bool {
		return slices.ContainsFunc(paths, func(other string) bool { return p != other && Within(p, other) })
	})
}

// within reports whether a path exists below root, with directories above it.
func (s *Sink) within(root *os.Root, p string) (bool, error) {
	above, name := split(p)
	dir, err := OpenPath(root, above)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNotDir) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	there, err := exists(dir, name)
	return there, errors.Join(err, dir.Close())
}

// shelter creates the directories of the new tree that will hold preserved paths.
func (s *Sink) shelter() error {
	f := newFolders(s)
	for _, p := range s.outermost() {
		top, _, below := strings.Cut(p, "/")
		if !below || s.keeping(top) == Keep {
			continue
		}
		there, err := s.within(s.base, p)
		if err == nil && there {
			_, err = f.dir(path.Dir(p))
		}
		if err != nil {
			return errors.Join(fmt.Errorf("preserving %s: %w", p, err), f.close())
		}
	}
	return f.close()
}

func exists(root *os.Root, name string) (bool, error) {
	_, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

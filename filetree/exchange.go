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

// exchanger is the making of a journal. Nothing is changed by it.
type exchanger struct {
	*Sink
	journal
	old map[string]string // where what is in the root goes, by its name
}

// plan lists what changes places: every entry of the root that is not kept, and
// every entry of the new tree. What is preserved below them then goes back to its path.
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

// both has a path of the new tree take its place, and what is there leave.
func (x *exchanger) both(path string, there bool) error {
	if there {
		if err := x.leave(path); err != nil {
			return err
		}
	}
	x.moves = append(x.moves, move{inNew(path), path})
	return x.state(&x.after, inNew(path), path)
}

// leave has what is at a path make way.
func (x *exchanger) leave(path string) error {
	x.old[path] = SwapName + "/" + oldName + "/" + strconv.Itoa(len(x.old))
	x.moves = append(x.moves, move{path, x.old[path]})
	return x.state(&x.before, path, path)
}

// state notes what a directory looks like, to be set when what is at now is at path.
func (x *exchanger) state(list *[]dirState, now, path string) error {
	info, err := x.base.Lstat(now)
	if err == nil && info.IsDir() {
		*list = append(*list, dirState{path: path, mode: Mode(info.Mode()), time: info.ModTime()})
	}
	return err
}

// merge puts what the new tree has at a path beside what is kept there, as entries
// do that are written in place.
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
	// Here no directory moves that would bring its owner with it.
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

// preserves takes the preserved paths out of directories that leave.
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

// outermost lists the preserved paths without those below another.
func (s *Sink) outermost() []string {
	paths := slices.Compact(slices.Sorted(slices.Values(s.preserve)))
	return slices.DeleteFunc(slices.Clone(paths), func(p string) bool {
		return slices.ContainsFunc(paths, func(other string) bool { return p != other && Within(p, other) })
	})
}

// within reports whether there is something at a path, with directories above it.
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

// shelter makes the directories of the new tree in which preserved paths will lie.
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

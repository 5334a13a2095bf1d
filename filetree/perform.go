package filetree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/failure"
)

// perform makes the moves and sets the owners, modes and times of the new
// directories.
func (j *journal) perform(base *os.Root) error {
	for _, m := range j.moves {
		if err := m.do(base); err != nil {
			return fmt.Errorf("exchanging the old tree and the new one: %w", err)
		}
	}
	return set(base, j.after)
}

// resume makes the moves that an interrupted perform did not make. It can be repeated.
func (j *journal) resume(base *os.Root) error {
	for _, m := range j.moves {
		made, err := m.passed(base)
		if err == nil && !made {
			err = m.do(base)
		}
		if err != nil {
			return fmt.Errorf("completing the exchange of the old tree and the new one: %w", err)
		}
	}
	return set(base, j.after)
}

// passed reports whether a move was made; all earlier moves are made. What leaves the root
// gets a name of its own, and may already be replaced; everything else has left its name.
func (m move) passed(base *os.Root) (bool, error) {
	if err := errors.Join(enter(base, m.from), enter(base, m.to)); err != nil {
		return false, err
	}
	if Within(m.to, SwapName) {
		return exists(base, m.to)
	}
	there, err := exists(base, m.from)
	return !there, err
}

// undo reverts the moves that were made, last first. It can be repeated.
func (j *journal) undo(base *os.Root) error {
	for _, m := range slices.Backward(j.moves) {
		made, err := m.made(base)
		if err == nil && made {
			err = move{m.to, m.from}.do(base)
		}
		if err != nil {
			return fmt.Errorf("putting the old tree back: %w", err)
		}
	}
	return set(base, j.before)
}

// made reports whether a move was made; later moves are already undone.
func (m move) made(base *os.Root) (bool, error) {
	if err := errors.Join(enter(base, m.from), enter(base, m.to)); err != nil {
		return false, err
	}
	to, err := exists(base, m.to)
	if err != nil || !to {
		return false, err
	}
	from, err := exists(base, m.from)
	if err == nil && from && Within(m.to, SwapName) {
		err = fmt.Errorf("a new entry exists at %s, but the original one is %s; move the new one away and restore again", m.from, m.to)
	}
	if err != nil || from {
		return false, err
	}
	// A preserved entry is still in the old tree if that has not moved out yet.
	if above, _ := split(m.from); above != "" {
		return exists(base, above)
	}
	return true, nil
}

func (m move) do(base *os.Root) error {
	for _, path := range []string{m.from, m.to} {
		if err := enter(base, path); err != nil {
			return err
		}
	}
	return base.Rename(m.from, m.to)
}

// enter gives this user the permissions to move the entry at a path: on the
// directories above it, and on a directory itself, whose ".." changes.
func enter(base *os.Root, path string) error {
	for i := range len(path) + 1 {
		if i < len(path) && path[i] != '/' {
			continue
		}
		info, err := base.Lstat(path[:i])
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if !info.IsDir() || info.Mode()&closed == closed {
			continue
		}
		// Another user's: it may be accessible anyway.
		if err := base.Chmod(path[:i], info.Mode()|closed); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return nil
}

// set sets the owners, modes and times of directories, deepest first.
func set(base *os.Root, dirs []dirState) error {
	dirs = slices.Clone(dirs)
	slices.SortStableFunc(dirs, func(a, b dirState) int { return strings.Count(b.path, "/") - strings.Count(a.path, "/") })
	for _, d := range dirs {
		above, name := split(d.path)
		parent, err := OpenPath(base, above)
		if err == nil {
			err = errors.Join(restoreDir(parent, name, d), parent.Close())
		}
		if err != nil {
			return fmt.Errorf("setting owner, mode and time of the directory %s: %w", d.path, err)
		}
	}
	return nil
}

// restoreDir leaves a directory of another user unchanged, since its mode was not
// changed either.
func restoreDir(parent *os.Root, name string, d dirState) error {
	err := setDir(parent, name, d)
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	info, looked := parent.Lstat(name)
	if looked == nil && Mode(info.Mode()) == d.mode && (!d.owner.Known || Owner(info) == d.owner) {
		return nil
	}
	return errors.Join(err, looked)
}

// beside creates and claims the directory for the new tree.
func (s *Sink) beside() error {
	if err := free(s.base); err != nil {
		return s.busy(err)
	}
	area, err := makeArea(s.base, s.layout.Part)
	if err != nil {
		return s.busy(err)
	}
	s.area = area
	s.root, err = area.dir.OpenRoot(newName)
	return err
}

// busy explains that another restore uses the directory.
func (s *Sink) busy(err error) error {
	if errors.Is(err, errLocked) {
		return failure.New(failure.Refused, "another restore is writing to %s; wait for it to finish", s.dir)
	}
	return fmt.Errorf("%s: %w", s.dir, err)
}

// swap exchanges the trees. Until the journal is renamed as done, an undo restores
// the complete old tree.
func (s *Sink) swap(ctx context.Context) error {
	j, err := s.plan()
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.area.write(j); err != nil {
		return fmt.Errorf("writing the journal of the exchange: %w", err)
	}
	if err := s.settle(); err != nil {
		return err
	}
	if err := s.mark(); err != nil {
		return err
	}
	if err := j.perform(s.base); err != nil {
		return err
	}
	return s.exchanged()
}

// forward completes an exchange that was interrupted.
func (s *Sink) forward() error {
	j, err := s.area.read(journalName)
	if err != nil {
		return err
	}
	if err := s.mark(); err != nil {
		return err
	}
	if err := j.resume(s.base); err != nil {
		return err
	}
	return s.exchanged()
}

// exchanged records that the exchange is complete and unmarks the root.
func (s *Sink) exchanged() error {
	if err := s.settle(); err != nil {
		return err
	}
	if err := s.area.dir.Rename(journalName, doneName); err != nil {
		return fmt.Errorf("completing the exchange: %w", err)
	}
	if err := s.settle(); err != nil {
		return err
	}
	if err := s.ownBase(); err != nil { // while the marker is still there, in case the run dies here
		return err
	}
	if err := s.unmark(); err != nil {
		return fmt.Errorf("unmarking %s: %w", s.dir, err)
	}
	return s.settle()
}

// putBack undoes an exchange, if one has begun, so that the old tree is valid again. It
// removes what was added to an old pool, unless the new one is already in its place.
func (s *Sink) putBack(ctx context.Context) error {
	linked, err := s.area.has(madeName)
	if err != nil {
		return err
	}
	if linked {
		return s.unlink(ctx)
	}
	done, err := s.area.has(doneName)
	if err == nil && done {
		// A half-undone exchange must not look complete.
		if err = s.mark(); err == nil {
			err = s.area.dir.Rename(doneName, journalName)
		}
		if err == nil {
			err = s.settle()
		}
	}
	if err != nil {
		return err
	}
	begun, err := s.area.has(journalName)
	if err != nil || !begun {
		return err
	}
	j, err := s.area.read(journalName)
	if err == nil {
		err = j.undo(s.base)
	}
	if err == nil {
		err = s.settle()
	}
	if err != nil {
		return err
	}
	if err := s.area.emptied(); err != nil {
		return err
	}
	for name, was := range map[string]bool{MarkerName: j.marked, RestoredName: j.restored || !s.layout.Marks} {
		if was {
			continue
		}
		if err := s.base.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := s.settle(); err != nil {
		return err
	}
	// Before the new tree is removed: an undo would treat its missing entries as
	// moved.
	if err := s.area.dir.Remove(journalName); err != nil {
		return err
	}
	return s.settle()
}

// endEarlier completes or undoes what an interrupted restore left: a complete
// exchange is finished, any other is undone.
func (s *Sink) endEarlier(ctx context.Context) error {
	area, err := openArea(s.base, s.layout.Part)
	if area != nil {
		s.area = area
		if err = s.settleEarlier(ctx); err == nil {
			s.area = nil
			err = area.remove(ctx)
		}
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errLocked):
		return s.busy(err)
	}
	return fmt.Errorf("cleaning up an earlier restore in %s: %w", s.dir, err)
}

func (s *Sink) settleEarlier(ctx context.Context) error {
	done, err := s.area.has(doneName)
	if err != nil {
		return err
	}
	if !done {
		return s.putBack(ctx)
	}
	marked, err := exists(s.base, MarkerName)
	if err != nil || !marked {
		return err
	}
	if err := s.mark(); err != nil {
		return err
	}
	if err := s.unmark(); err != nil {
		return err
	}
	return s.settle()
}

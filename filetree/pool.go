package filetree

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"syscall"
)

// link adds the files of the new pool to the old one, as hard links, without changing
// anything that is there. It returns false, having added nothing, if this file system has no
// hard links or this user may not write to all of the old pool: then the two are exchanged.
func (s *Sink) link(ctx context.Context) (bool, error) {
	l, err := s.linker()
	if err != nil {
		return false, err
	}
	if err = errors.Join(l.add(ctx, ""), l.made.Close()); err == nil {
		return true, nil
	}
	for _, no := range []error{fs.ErrPermission, syscall.EMLINK, syscall.EXDEV, syscall.ENOTSUP, syscall.EOPNOTSUPP, syscall.ENOSYS} {
		if errors.Is(err, no) {
			return false, errors.Join(s.unlink(ctx), s.area.dir.Remove(madeName))
		}
	}
	return false, err
}

// linker adds a new pool to an old one. It records the directories that it creates, before
// it does.
type linker struct {
	*Sink
	made *os.File
}

func (s *Sink) linker() (*linker, error) {
	made, err := s.area.dir.OpenFile(madeName, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	return &linker{s, made}, err
}

// add adds what is in the directory at a path of the new pool; the old one has it too.
func (l *linker) add(ctx context.Context, path string) error {
	from, err := OpenPath(l.root, path)
	if err != nil {
		return err
	}
	for name, err := range Names(from) {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && l.keeping(join(path, name)) != Keep {
			err = l.one(ctx, from, name, join(path, name))
		}
		if err != nil {
			return errors.Join(err, from.Close())
		}
	}
	return from.Close()
}

// one adds an entry. If the old pool has something else at its path, that stays until
// replacePool.
func (l *linker) one(ctx context.Context, from *os.Root, name, path string) error {
	info, err := from.Lstat(name)
	if err != nil {
		return err
	}
	old, err := l.base.Lstat(path)
	switch {
	case err == nil && old.IsDir() && info.IsDir():
		return l.add(ctx, path)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case !info.IsDir():
		if err := l.hardLink(l.base, inNew(path), path); !errors.Is(err, fs.ErrExist) { // the site may add it too
			return err
		}
		return nil
	}
	if _, err := fmt.Fprintf(l.made, "%q\n", path); err != nil {
		return err
	}
	if err := l.base.Mkdir(path, closed); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := l.add(ctx, path); err != nil {
		return err
	}
	return set(l.base, []dirState{l.stateOf(path, info)})
}

// unlink removes from the old pool what link has added, unless the new pool is in place.
func (s *Sink) unlink(ctx context.Context) error {
	if done, err := s.area.has(doneName); done || err != nil {
		return err
	}
	fresh, err := OpenDir(s.area.dir, newName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := errors.Join(s.unlinkIn(ctx, fresh, ""), fresh.Close()); err != nil {
		return fmt.Errorf("removing the new files from %s: %w", s.dir, err)
	}
	text, err := s.area.dir.ReadFile(madeName)
	if err != nil {
		return err
	}
	var dirs []string
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if dir, err := strconv.Unquote(lines.Text()); err == nil && CheckPath(dir) == nil { // the last line may be cut
			dirs = append(dirs, dir)
		}
	}
	for _, dir := range slices.Backward(dirs) {
		err := enter(s.base, dir)
		if err == nil {
			err = s.base.Remove(dir)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrExist) { // the site may have put something in it
			return err
		}
	}
	return s.settle()
}

// unlinkIn removes the files of a directory of the new pool, which is at a path, from the
// old one: those that are the same file, not only equal.
func (s *Sink) unlinkIn(ctx context.Context, fresh *os.Root, path string) error {
	for name, err := range Names(fresh) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		at := join(path, name)
		info, err := fresh.Lstat(name)
		if err != nil {
			return err
		}
		old, err := s.base.Lstat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case info.IsDir() && old.IsDir():
			below, err := OpenDir(fresh, name)
			if err == nil {
				err = errors.Join(s.unlinkIn(ctx, below, at), below.Close())
			}
			if err != nil {
				return err
			}
		case os.SameFile(info, old):
			if err := enter(s.base, at); err != nil {
				return err
			}
			if err := s.base.Remove(at); err != nil {
				return err
			}
		}
	}
	return nil
}

// replacePool makes the old pool equal to the new one, all of whose files are already in it.
// It can be repeated.
func (s *Sink) replacePool(ctx context.Context) error {
	l, err := s.linker()
	if err != nil {
		return err
	}
	// Once more: the old site may have removed a file meanwhile.
	if err := errors.Join(l.add(ctx, ""), l.made.Close()); err != nil {
		return fmt.Errorf("adding the new files to %s: %w", s.dir, err)
	}
	if err := s.settle(); err != nil {
		return err
	}
	// From here on nothing is taken back: old files disappear.
	if err := s.area.store(doneName, nil); err != nil {
		return fmt.Errorf("recording that the new files are in %s: %w", s.dir, err)
	}
	if err := s.settle(); err != nil {
		return err
	}
	if err := s.weed(ctx, ""); err != nil {
		return fmt.Errorf("removing the old files from %s: %w", s.dir, err)
	}
	if err := s.ownBase(); err != nil {
		return err
	}
	marked, err := exists(s.base, MarkerName) // of an earlier restore in place
	if err == nil && marked {
		err = s.mark()
		if err == nil {
			err = s.unmark()
		}
	}
	if err != nil {
		return err
	}
	return s.settle()
}

// weed removes from the directory at a path what the new pool does not have, and replaces
// files that are not the new pool's.
func (s *Sink) weed(ctx context.Context, path string) error {
	dir, err := OpenPath(s.base, path)
	if err != nil {
		return err
	}
	for name, err := range Names(dir) {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && s.keeping(join(path, name)) != Keep {
			err = s.weedOne(ctx, dir, name, join(path, name))
		}
		if err != nil {
			return errors.Join(err, dir.Close())
		}
	}
	return dir.Close()
}

func (s *Sink) weedOne(ctx context.Context, dir *os.Root, name, path string) error {
	old, err := dir.Lstat(name)
	if err != nil {
		return err
	}
	fresh, err := s.root.Lstat(path)
	gone := errors.Is(err, fs.ErrNotExist)
	if err != nil && !gone {
		return err
	}
	if !gone && os.SameFile(old, fresh) {
		return nil
	}
	if err := enter(s.base, path); err != nil {
		return err
	}
	switch {
	case gone && old.IsDir() && s.keeping(path) == Descend:
		return errors.Join(s.weed(ctx, path), set(s.base, []dirState{s.stateOf(path, old)}))
	case gone:
		return removeTree(ctx, dir, name)
	case old.IsDir() && fresh.IsDir():
		return errors.Join(s.weed(ctx, path), set(s.base, []dirState{s.stateOf(path, fresh)}))
	case old.IsDir() || fresh.IsDir():
		if err := removeTree(ctx, dir, name); err != nil {
			return err
		}
		return s.insert(ctx, path)
	}
	above, _ := split(path)
	temp := join(above, s.tempName())
	if err := s.hardLink(s.base, inNew(path), temp); err != nil {
		return err
	}
	return s.base.Rename(temp, path)
}

// insert adds an entry of the new pool whose place was taken.
func (s *Sink) insert(ctx context.Context, path string) error {
	l, err := s.linker()
	if err != nil {
		return err
	}
	above, name := split(path)
	from, err := OpenPath(s.root, above)
	if err == nil {
		err = errors.Join(l.one(ctx, from, name, path), from.Close())
	}
	return errors.Join(err, l.made.Close())
}

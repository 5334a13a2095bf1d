package filetree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// doomed returns the names in the root that would be removed, entirely or in part.
// Names that any site has come last.
func (s *Sink) doomed(root *os.Root) (names []string, err error) {
	var usual []string
	for name, err := range Names(root) {
		switch {
		case err != nil:
			return nil, failure.New(failure.Refused, "listing %s: %w", s.dir, err)
		case s.keeping(name) == Keep, name == RestoredName:
		case s.layout.Usual != nil && s.layout.Usual(name):
			usual = append(usual, name)
		default:
			names = append(names, name)
		}
		if len(names) >= maxNames {
			break // enough for a message
		}
	}
	return append(names, usual...), nil
}

// maxNames bounds the memory for a directory's names.
const maxNames = 1000

// first returns the first names, for a message.
func first(names []string) string {
	const shown = 3
	quoted := fmt.Sprintf("%q", strings.Join(names[:min(len(names), shown)], ", "))
	if len(names) > shown {
		quoted += " …"
	}
	return quoted
}

// mayReplace refuses a directory that does not look like a site's: a home directory,
// or the parent of the intended one. A marker counts only if it names this sink's
// part.
func (s *Sink) mayReplace(root *os.Root, doomed []string) error {
	failed := func(err error) error {
		return failure.New(failure.Refused, "reading %s: %w", s.dir, err)
	}
	folder, err := Recognise(root)
	if err != nil {
		return failed(err)
	}
	if slices.Contains(s.layout.Foreign, folder) {
		return failure.New(failure.Refused, "%s is not replaced: it is %s, not %s, and contains %s; check dir, or empty the directory yourself",
			s.dir, folder, s.layout.What, first(doomed))
	}
	ours, err := s.layout.Owns(root)
	if err != nil {
		return failed(err)
	}
	unnamed := "" // a marker that names no part
	for _, mark := range []string{MarkerName, RestoredName} {
		part, found, err := markedAs(root, mark)
		switch {
		case err != nil:
			return failed(err)
		case found && part == s.layout.Part:
			ours = true
		case found && part == "":
			unnamed = mark
		}
	}
	if ours {
		return nil
	}
	why := fmt.Sprintf("it is neither %s nor an earlier restore of one", s.layout.What)
	if unnamed != "" {
		why = fmt.Sprintf("its file %s does not say which part was restored", unnamed)
	}
	return failure.New(failure.Refused, "%s is not replaced: %s, and it contains %s; check dir, "+
		"or empty the directory yourself, or, if all of it may be removed, create a file %s in it with the line %q",
		s.dir, why, first(doomed), RestoredName, partLine+s.layout.Part)
}

// otherRestore refuses a directory that is marked as a restore of another part.
func (s *Sink) otherRestore(root *os.Root) error {
	for _, mark := range []string{MarkerName, RestoredName} {
		part, found, err := markedAs(root, mark)
		if err != nil {
			return failure.New(failure.Refused, "reading the marker of an earlier restore in %s: %w", s.dir, err)
		}
		if found && part != "" && part != s.layout.Part {
			return failure.New(failure.Refused, "%s holds a restore of the part %q (its file %s says so), not of %q; "+
				"check dir, or empty the directory yourself and remove that file", s.dir, part, mark, s.layout.Part)
		}
	}
	return nil
}

// countAtMost limits how much a plan counts of what would be removed.
const countAtMost = 200_000

// removal describes what would be removed.
func (s *Sink) removal(ctx context.Context, root *os.Root, doomed []string) (stage.Note, error) {
	sum, err := s.measure(ctx, root, "", countAtMost)
	if err != nil {
		return stage.Note{}, err
	}
	more := ""
	if sum.files >= countAtMost {
		more = "more than "
	}
	return stage.Note{Path: s.layout.Part, Text: fmt.Sprintf("replace: %s removes %s%s files and directories (%s%s) from %s, among them %s",
		s.replaceWord(), more, humanize.Comma(sum.files), more, human(sum.bytes), s.dir, first(doomed))}, nil
}

// replaceWord returns the setting replace as a user writes it.
func (s *Sink) replaceWord() string {
	if s.replace == stage.ReplaceSwap {
		return "true"
	}
	return string(s.replace)
}

type amount struct{ files, bytes int64 }

// measure adds up what clear would remove, up to a number of files. Entries that
// cannot be read do not count.
func (s *Sink) measure(ctx context.Context, dir *os.Root, path string, atMost int64) (sum amount, err error) {
	for name, err := range Names(dir) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return sum, fmt.Errorf("measuring what would be removed: %w", err)
		}
		if sum.files >= atMost {
			return sum, nil
		}
		below := join(path, name)
		keeping := s.keeping(below)
		if keeping == Keep {
			continue
		}
		info, err := dir.Lstat(name)
		if err != nil {
			continue
		}
		if keeping == Remove || !info.IsDir() {
			sum.files++
		}
		if info.Mode().IsRegular() {
			sum.bytes += info.Size()
		}
		if !info.IsDir() {
			continue
		}
		child, err := OpenDir(dir, name)
		if err != nil {
			continue
		}
		in, err := s.measure(ctx, child, below, atMost-sum.files)
		if err := errors.Join(err, child.Close()); err != nil {
			return sum, err
		}
		sum.files, sum.bytes = sum.files+in.files, sum.bytes+in.bytes
	}
	return sum, nil
}

// clear removes the contents of dir, at path below the root, except what is kept.
// Links are removed, not followed.
func (s *Sink) clear(ctx context.Context, dir *os.Root, path string) error {
	for name, err := range Names(dir) {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = s.clearOne(ctx, dir, name, join(path, name))
		}
		if err != nil {
			return fmt.Errorf("removing the old contents: %w", err)
		}
	}
	return nil
}

func (s *Sink) clearOne(ctx context.Context, dir *os.Root, name, path string) error {
	switch s.keeping(path) {
	case Keep:
		return nil
	case Descend:
		if err := s.unlockDir(dir, name, path); err != nil {
			return err
		}
		child, err := OpenDir(dir, name)
		if err == nil {
			return errors.Join(s.clear(ctx, child, path), child.Close())
		}
		if !errors.Is(err, ErrNotDir) {
			return err
		}
	}
	return removeTree(ctx, dir, name)
}

// removeTree removes an entry and everything below it. The entry may be missing.
func removeTree(ctx context.Context, dir *os.Root, name string) error {
	err := dir.RemoveAll(name)
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	// A directory without write permission, as restores create them.
	if unlocked := unlock(ctx, dir, name); unlocked != nil {
		return errors.Join(err, unlocked)
	}
	return dir.RemoveAll(name)
}

// unlock gives this user permission to remove the contents of a directory that it
// owns.
func unlock(ctx context.Context, parent *os.Root, name string) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	info, err := parent.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil
	}
	if err == nil && info.Mode()&closed != closed {
		err = parent.Chmod(name, info.Mode()|closed)
	}
	if err != nil {
		return err
	}
	dir, err := OpenDir(parent, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	for below, err := range Names(dir) {
		if err == nil {
			err = unlock(ctx, dir, below)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

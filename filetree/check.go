package filetree

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/place"
	"github.com/lmsvault/vault/core/stage"
)

// Check checks that the directory is writable, is empty or may be replaced, and has
// enough space. It changes nothing.
func (s *Sink) Check(ctx context.Context, p *stage.Plan) (stage.Findings, error) {
	if err := ctx.Err(); err != nil {
		return stage.Findings{}, err
	}
	if err := errors.Join(s.take(p), s.mayOwn()); err != nil {
		return stage.Findings{}, err
	}
	existing, err := existingDir(s.dir)
	if err != nil {
		return stage.Findings{}, err
	}
	if err := writable(existing); err != nil {
		return stage.Findings{}, failure.Wrap(failure.Refused, err)
	}
	root, err := os.OpenRoot(existing)
	if err != nil {
		return stage.Findings{}, failure.New(failure.Refused, "opening the directory to restore into: %w", err)
	}
	notes := s.preservedNotes()
	if existing == filepath.Clean(s.dir) {
		var more []stage.Note
		if more, err = s.earlier(root); err == nil {
			notes = append(notes, more...)
			more, err = s.check(ctx, root)
			notes = append(notes, more...)
		}
	}
	if err == nil {
		err = s.room(ctx, existing, root, p)
	}
	return stage.Findings{Notes: notes}, errors.Join(err, root.Close())
}

// existingDir returns dir or its nearest existing parent.
func existingDir(dir string) (string, error) {
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		switch {
		case err == nil && info.IsDir():
			return at, nil
		case err == nil:
			return "", failure.New(failure.Refused, "restoring into %s: %s is not a directory", dir, at)
		case !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at):
			return "", failure.New(failure.Refused, "restoring into %s: %w", dir, err)
		}
	}
}

// check refuses a non-empty directory unless it may be replaced, and notes what that
// would remove.
func (s *Sink) check(ctx context.Context, root *os.Root) ([]stage.Note, error) {
	if err := errors.Join(s.onlyFiles(root), s.otherRestore(root)); err != nil {
		return nil, err
	}
	if s.replace == stage.ReplaceNothing {
		if _, err := root.Lstat(MarkerName); err == nil {
			return nil, failure.New(failure.Refused, "%s holds a restore that did not finish (%s); set replace: true to restore it again", s.dir, MarkerName)
		}
	}
	doomed, err := s.doomed(root)
	if err != nil || len(doomed) == 0 {
		return nil, err
	}
	if s.replace == stage.ReplaceNothing {
		return nil, failure.New(failure.Refused, "%s is not empty (%s); restore into an empty directory, or set replace: true to remove its contents", s.dir, first(doomed))
	}
	if err := s.mayReplace(root, doomed); err != nil {
		return nil, err
	}
	if err := s.movable(); err != nil {
		return nil, err
	}
	note, err := s.removal(ctx, root, doomed)
	return []stage.Note{note}, err
}

// movable refuses a swap if anything that would be moved is a mount point.
func (s *Sink) movable() error {
	if s.replace != stage.ReplaceSwap {
		return nil
	}
	for _, path := range place.Here().MountedIn(s.dir) {
		top, _, _ := strings.Cut(filepath.ToSlash(path), "/")
		if s.keeping(top) != Keep {
			return failure.New(failure.Refused, "%s is a mount point and cannot be exchanged; unmount it, list %s in preserve, or set replace: in_place",
				filepath.Join(s.dir, path), top)
		}
	}
	return nil
}

// earlier notes what an interrupted restore left; it returns an error if that restore
// is still running.
func (s *Sink) earlier(root *os.Root) ([]stage.Note, error) {
	area, err := lookAtArea(root, s.layout.Part)
	if area == nil || err != nil {
		return nil, s.leftover(err)
	}
	defer area.Close()
	if err := unlocked(area, lockName); err != nil {
		return nil, s.leftover(err)
	}
	text := "an earlier restore was interrupted and left " + SwapName + ", which will be removed"
	begun, err := exists(area, journalName)
	if err != nil {
		return nil, s.leftover(err)
	}
	ready, err := exists(area, readyName)
	if err != nil {
		return nil, s.leftover(err)
	}
	switch {
	case ready:
		text = "an earlier restore was interrupted while it was published; it will be completed first, or taken back"
	case begun:
		text = "an earlier restore was interrupted while exchanging the old and the new files; the old ones will be put back first"
	}
	return []stage.Note{{Path: s.layout.Part, Text: text}}, nil
}

func (s *Sink) leftover(err error) error {
	if err == nil {
		return nil
	}
	return failure.Wrap(failure.Refused, s.busy(err))
}

// room refuses a plan that is larger than the free space. What is removed before the
// first file is written counts as free.
func (s *Sink) room(ctx context.Context, dir string, root *os.Root, p *stage.Plan) error {
	bytes, inodes, err := space(dir)
	if err != nil {
		return failure.Wrap(failure.Refused, err)
	}
	short := func() bool { return p.Bytes > bytes || inodes >= 0 && p.Files > inodes }
	free := func(freed amount, err error) error {
		bytes += freed.bytes
		if inodes >= 0 {
			inodes += freed.files
		}
		return err
	}
	there := dir == filepath.Clean(s.dir)
	if there && short() {
		if err := free(measureArea(ctx, root, s.layout.Part)); err != nil {
			return err
		}
	}
	if there && short() && s.replace == stage.ReplaceInPlace {
		if err := free(s.measure(ctx, root, "", math.MaxInt64)); err != nil {
			return err
		}
	}
	if !short() {
		return nil
	}
	what, remedy := "are to be restored", "free some space"
	if s.replace == stage.ReplaceSwap {
		what, remedy = "are to be restored beside the existing files", "free some space, or set replace: in_place to remove the old files first"
	}
	if p.Bytes > bytes {
		return failure.New(failure.Refused, "%s has %s free, but about %s %s; %s", s.dir, human(bytes), human(p.Bytes), what, remedy)
	}
	return failure.New(failure.Refused, "the file system of %s can hold %d more files, but about %d %s; %s", s.dir, inodes, p.Files, what, remedy)
}

// measureArea adds up what Begin removes of an interrupted restore.
func measureArea(ctx context.Context, root *os.Root, part string) (amount, error) {
	area, err := lookAtArea(root, part)
	if area == nil || err != nil {
		return amount{}, err
	}
	begun, err := exists(area, journalName)
	var sum amount
	if err == nil && !begun {
		all := &Sink{layout: Layout{Keeping: func(string) Keeping { return Remove }}}
		sum, err = all.measure(ctx, area, "", math.MaxInt64)
	}
	return sum, errors.Join(err, area.Close())
}

func human(bytes int64) string { return humanize.IBytes(uint64(max(bytes, 0))) }

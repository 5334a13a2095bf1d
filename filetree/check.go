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

// Check looks whether the directory can be written, is empty or to be replaced,
// and has room. It changes nothing.
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

// existingDir is dir or the nearest directory above that exists.
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

// check refuses a directory that holds something, unless it may be replaced, and
// notes what that would remove.
func (s *Sink) check(ctx context.Context, root *os.Root) ([]stage.Note, error) {
	if err := errors.Join(s.onlyFiles(root), s.otherRestore(root)); err != nil {
		return nil, err
	}
	if s.replace == stage.ReplaceNothing {
		if _, err := root.Lstat(MarkerName); err == nil {
			return nil, failure.New(failure.Refused, "%s holds a restore that did not finish (%s); set replace: true to do it again", s.dir, MarkerName)
		}
	}
	doomed, err := s.doomed(root)
	if err != nil || len(doomed) == 0 {
		return nil, err
	}
	if s.replace == stage.ReplaceNothing {
		return nil, failure.New(failure.Refused, "%s is not empty (%s); restore into an empty directory, or set replace: true to have what is there removed", s.dir, first(doomed))
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

// movable refuses a swap where something is mounted below the directory in what
// would be moved.
func (s *Sink) movable() error {
	if s.replace != stage.ReplaceSwap {
		return nil
	}
	for _, path := range place.Here().MountedIn(s.dir) {
		top, _, _ := strings.Cut(filepath.ToSlash(path), "/")
		if s.keeping(top) != Keep {
			return failure.New(failure.Refused, "%s is a mount point and can't be exchanged; unmount it, name %s in preserve, or set replace: in_place",
				filepath.Join(s.dir, path), top)
		}
	}
	return nil
}

// earlier notes what a restore left that died; one that is running is refused.
func (s *Sink) earlier(root *os.Root) ([]stage.Note, error) {
	area, err := lookAtArea(root, s.layout.Part)
	if area == nil || err != nil {
		return nil, s.leftover(err)
	}
	defer area.Close()
	if err := unlocked(area, lockName); err != nil {
		return nil, s.leftover(err)
	}
	text := "an earlier restore died and left " + SwapName + ", which will be removed"
	begun, err := exists(area, journalName)
	if err != nil {
		return nil, s.leftover(err)
	}
	if begun {
		text = "an earlier restore died while it exchanged the old files and the new ones; the old ones will be put back first"
	}
	return []stage.Note{{Path: s.layout.Part, Text: text}}, nil
}

func (s *Sink) leftover(err error) error {
	if err == nil {
		return nil
	}
	return failure.Wrap(failure.Refused, s.busy(err))
}

// room refuses a plan that is larger than what is free. What is removed before the
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
	what, remedy := "are to be restored", "make room"
	if s.replace == stage.ReplaceSwap {
		what, remedy = "are to be restored beside what is there", "make room, or set replace: in_place to have the old files removed first"
	}
	if p.Bytes > bytes {
		return failure.New(failure.Refused, "%s has %s free, and about %s %s: %s", s.dir, human(bytes), human(p.Bytes), what, remedy)
	}
	return failure.New(failure.Refused, "the file system of %s can take %d more files, and about %d %s: %s", s.dir, inodes, p.Files, what, remedy)
}

// measureArea adds up what Begin removes of an earlier restore that died.
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

package filetree

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/dustin/go-humanize"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// Check looks whether the directory can be written, is empty or to be replaced,
// and has room. It changes nothing.
func (s *Sink) Check(ctx context.Context, p *stage.Plan) (stage.Findings, error) {
	if err := ctx.Err(); err != nil {
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
	notes := s.layout.Notes
	if existing == filepath.Clean(s.dir) {
		var more []stage.Note
		more, err = s.check(ctx, root)
		notes = append(slices.Clip(notes), more...)
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
	if err := s.otherRestore(root); err != nil {
		return nil, err
	}
	if !s.replace {
		if _, err := root.Lstat(MarkerName); err == nil {
			return nil, failure.New(failure.Refused, "%s holds a restore that did not finish (%s); set replace: true to do it again", s.dir, MarkerName)
		}
	}
	doomed, err := s.doomed(root)
	if err != nil || len(doomed) == 0 {
		return nil, err
	}
	if !s.replace {
		return nil, failure.New(failure.Refused, "%s is not empty (%s); restore into an empty directory, or set replace: true to have what is there removed", s.dir, first(doomed))
	}
	if err := s.mayReplace(root, doomed); err != nil {
		return nil, err
	}
	note, err := s.removal(ctx, root, doomed)
	return []stage.Note{note}, err
}

// room refuses a plan that is larger than what is free, counting what is to be
// removed as free.
func (s *Sink) room(ctx context.Context, dir string, root *os.Root, p *stage.Plan) error {
	bytes, inodes, err := space(dir)
	if err != nil {
		return failure.Wrap(failure.Refused, err)
	}
	short := func() bool { return p.Bytes > bytes || inodes >= 0 && p.Files > inodes }
	if s.replace && short() && dir == filepath.Clean(s.dir) {
		freed, err := s.measure(ctx, root, "", math.MaxInt64)
		if err != nil {
			return err
		}
		bytes += freed.bytes
		if inodes >= 0 {
			inodes += freed.files
		}
	}
	switch {
	case p.Bytes > bytes:
		return failure.New(failure.Refused, "%s has %s free, and about %s are to be restored: make room", s.dir, human(bytes), human(p.Bytes))
	case short():
		return failure.New(failure.Refused, "the file system of %s can take %d more files, and about %d are to be restored: make room", s.dir, inodes, p.Files)
	}
	return nil
}

func human(bytes int64) string { return humanize.IBytes(uint64(max(bytes, 0))) }

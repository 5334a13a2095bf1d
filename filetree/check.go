package filetree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// Check looks whether the directory can be written, is empty or to be replaced,
// and has room. It changes nothing.
func (s *Sink) Check(ctx context.Context, p *stage.Plan) ([]stage.Loss, []stage.Note, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	existing, err := existingDir(s.dir)
	if err != nil {
		return nil, nil, err
	}
	if err := writable(existing); err != nil {
		return nil, nil, failure.Wrap(failure.Refused, err)
	}
	root, err := os.OpenRoot(existing)
	if err != nil {
		return nil, nil, failure.New(failure.Refused, "opening the directory to restore into: %w", err)
	}
	if existing == filepath.Clean(s.dir) {
		err = s.check(root)
	}
	if err == nil {
		err = s.room(ctx, existing, root, p)
	}
	return nil, s.layout.Notes, errors.Join(err, root.Close())
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

// check refuses a directory that holds something, unless it is to be replaced.
func (s *Sink) check(root *os.Root) error {
	if s.replace {
		return nil
	}
	if _, err := root.Lstat(MarkerName); err == nil {
		return failure.New(failure.Refused, "%s holds a restore that did not finish (%s): set replace: true to do it again", s.dir, MarkerName)
	}
	var found []string
	for name, err := range Names(root) {
		if err != nil {
			return failure.New(failure.Refused, "listing %s: %w", s.dir, err)
		}
		if s.layout.Keeping(name) == Keep {
			continue
		}
		if found = append(found, name); len(found) > 3 {
			found[3] = "…"
			break
		}
	}
	if len(found) > 0 {
		return failure.New(failure.Refused, "%s is not empty (%q): restore into an empty directory, or set replace: true to have what is there removed", s.dir, strings.Join(found, ", "))
	}
	return nil
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
		freed, err := measure(ctx, root, "", s.keeping)
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

type amount struct{ files, bytes int64 }

// measure adds up what removeTree would remove; what can't be looked at counts nothing.
func measure(ctx context.Context, dir *os.Root, path string, keeping func(string) Keeping) (amount, error) {
	var sum amount
	for name, err := range Names(dir) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return sum, fmt.Errorf("measuring what is to be removed: %w", err)
		}
		below := join(path, name)
		if keeping(below) == Keep {
			continue
		}
		info, err := dir.Lstat(name)
		if err != nil {
			continue
		}
		sum.files++
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
		in, err := measure(ctx, child, below, keeping)
		if err := errors.Join(err, child.Close()); err != nil {
			return sum, err
		}
		sum.files, sum.bytes = sum.files+in.files, sum.bytes+in.bytes
	}
	return sum, nil
}

package filetree

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// dirSpool keeps the modes and times of directories in a file until all that is
// in them is written. Not safe for concurrent use.
type dirSpool struct {
	file  *os.File
	w     *bufio.Writer
	depth int // of the deepest
	buf   []byte
}

func newDirSpool(dir string) (*dirSpool, error) {
	f, err := os.CreateTemp(dir, "dirs-")
	if err != nil {
		return nil, fmt.Errorf("making a temporary file: %w", err)
	}
	return &dirSpool{file: f, w: bufio.NewWriter(f)}, nil
}

func (s *dirSpool) close() error { return errors.Join(s.file.Close(), os.Remove(s.file.Name())) }

// add keeps the mode and the time (zero for none) of a directory; path is relative
// to the root. What is added last counts.
func (s *dirSpool) add(path string, mode uint32, modTime time.Time) error {
	s.depth = max(s.depth, strings.Count(path, "/"))
	b := binary.AppendUvarint(s.buf[:0], uint64(len(path)))
	b = append(b, path...)
	b = binary.AppendUvarint(b, uint64(mode))
	b = binary.AppendVarint(b, modTime.Unix())
	b = binary.AppendVarint(b, int64(modTime.Nanosecond()))
	s.buf = b
	if _, err := s.w.Write(b); err != nil {
		return fmt.Errorf("keeping directories' modes: %w", err)
	}
	return nil
}

// apply sets modes and times, the deepest first, for a mode can close the way to
// what is below. It reads the file once for each level, and follows no link.
func (s *dirSpool) apply(ctx context.Context, root *os.Root) error {
	if err := s.w.Flush(); err != nil {
		return fmt.Errorf("keeping directories' modes: %w", err)
	}
	for depth := s.depth; depth >= 0; depth-- {
		if err := s.level(ctx, root, depth); err != nil {
			return err
		}
	}
	return nil
}

func (s *dirSpool) level(ctx context.Context, root *os.Root, depth int) (err error) {
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	at, parent := "", root // directories of one parent mostly follow each other
	defer func() {
		if parent != root {
			err = errors.Join(err, parent.Close())
		}
	}()
	r := bufio.NewReader(s.file)
	for {
		path, mode, modTime, err := readDir(r)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("reading directories' modes: %w", err)
		}
		if strings.Count(path, "/") != depth {
			continue
		}
		above, name := split(path)
		if above != at {
			next, err := OpenPath(root, above)
			if err != nil {
				return fmt.Errorf("setting the modes of directories: %w", err)
			}
			old := parent
			at, parent = above, next
			if old != root {
				if err := old.Close(); err != nil {
					return err
				}
			}
		}
		if err := setDir(parent, name, mode, modTime); err != nil {
			return fmt.Errorf("setting mode and time of the directory %s: %w", path, err)
		}
	}
}

func setDir(parent *os.Root, name string, mode uint32, modTime time.Time) error {
	dir, err := OpenDir(parent, name)
	if err != nil {
		return err
	}
	if !modTime.Equal(time.Time{}) {
		err = setTime(dir, ".", modTime)
	}
	if err == nil {
		err = dir.Chmod(".", FileMode(mode))
	}
	return errors.Join(err, dir.Close())
}

func readDir(r *bufio.Reader) (path string, mode uint32, modTime time.Time, err error) {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return "", 0, time.Time{}, err // io.EOF only between records
	}
	name := make([]byte, n)
	_, err = io.ReadFull(r, name)
	bits, err2 := binary.ReadUvarint(r)
	sec, err3 := binary.ReadVarint(r)
	nsec, err4 := binary.ReadVarint(r)
	if err := errors.Join(err, err2, err3, err4); err != nil {
		return "", 0, time.Time{}, fmt.Errorf("cut off: %w", err)
	}
	return string(name), uint32(bits), time.Unix(sec, nsec), nil
}

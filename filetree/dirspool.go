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

	"github.com/lmsvault/vault/core/stage"
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

// add keeps the mode and the time of a directory; path is relative to the root.
func (s *dirSpool) add(path string, e stage.Entry) error {
	s.depth = max(s.depth, strings.Count(path, "/"))
	b := binary.AppendUvarint(s.buf[:0], uint64(len(path)))
	b = append(b, path...)
	b = binary.AppendUvarint(b, uint64(e.Mode))
	b = binary.AppendVarint(b, e.ModTime.Unix())
	b = binary.AppendVarint(b, int64(e.ModTime.Nanosecond()))
	s.buf = b
	if _, err := s.w.Write(b); err != nil {
		return fmt.Errorf("keeping directories' modes: %w", err)
	}
	return nil
}

// apply sets modes and times, the deepest first, for a mode can close the way to
// what is below. It reads the file once for each level.
func (s *dirSpool) apply(ctx context.Context, root *os.Root) error {
	if err := s.w.Flush(); err != nil {
		return fmt.Errorf("keeping directories' modes: %w", err)
	}
	for depth := s.depth; depth >= 0; depth-- {
		if _, err := s.file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		r := bufio.NewReader(s.file)
		for {
			path, mode, modTime, err := readDir(r)
			if err == io.EOF {
				break
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
			if !modTime.Equal(time.Time{}) {
				if err := root.Chtimes(path, modTime, modTime); err != nil {
					return fmt.Errorf("setting the time of a directory: %w", err)
				}
			}
			if err := root.Chmod(path, FileMode(mode)); err != nil {
				return fmt.Errorf("setting the mode of a directory: %w", err)
			}
		}
	}
	return nil
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

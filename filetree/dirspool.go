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

// dirSpool keeps the owners, modes and times of directories in a file until their
// contents are written. It is not safe for concurrent use.
type dirSpool struct {
	file  *os.File
	w     *bufio.Writer
	depth int // of the deepest directory
	buf   []byte
}

func newDirSpool(dir string) (*dirSpool, error) {
	f, err := os.CreateTemp(dir, "dirs-")
	if err != nil {
		return nil, fmt.Errorf("creating a temporary file: %w", err)
	}
	return &dirSpool{file: f, w: bufio.NewWriter(f)}, nil
}

func (s *dirSpool) close() error { return errors.Join(s.file.Close(), os.Remove(s.file.Name())) }

// add records the attributes of a directory. The last record of a path wins.
func (s *dirSpool) add(d dirState) error {
	s.depth = max(s.depth, strings.Count(d.path, "/"))
	b := binary.AppendUvarint(s.buf[:0], uint64(len(d.path)))
	b = append(b, d.path...)
	b = binary.AppendUvarint(b, uint64(d.mode))
	b = binary.AppendVarint(b, d.time.Unix())
	b = binary.AppendVarint(b, int64(d.time.Nanosecond()))
	owned := byte(0)
	if d.owner.Known {
		owned = 1
	}
	b = append(b, owned)
	b = binary.AppendUvarint(b, uint64(d.owner.UID))
	b = binary.AppendUvarint(b, uint64(d.owner.GID))
	s.buf = b
	if _, err := s.w.Write(b); err != nil {
		return fmt.Errorf("recording directory attributes: %w", err)
	}
	return nil
}

// apply sets owners, modes and times, deepest directories first, because a mode may
// deny access to what is below. A directory with an unknown owner gets common; if
// that is unknown too, its owner stays. It reads the file once per level and follows
// no links.
func (s *dirSpool) apply(ctx context.Context, root *os.Root, common stage.Owner) error {
	if err := s.w.Flush(); err != nil {
		return fmt.Errorf("recording directory attributes: %w", err)
	}
	for depth := s.depth; depth >= 0; depth-- {
		if err := s.level(ctx, root, depth, common); err != nil {
			return err
		}
	}
	return nil
}

func (s *dirSpool) level(ctx context.Context, root *os.Root, depth int, common stage.Owner) (err error) {
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	at, parent := "", root // directories of one parent are mostly adjacent
	defer func() {
		if parent != root {
			err = errors.Join(err, parent.Close())
		}
	}()
	r := bufio.NewReader(s.file)
	for {
		d, err := readDir(r)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("reading directory attributes: %w", err)
		}
		if strings.Count(d.path, "/") != depth {
			continue
		}
		if !d.owner.Known {
			d.owner = common
		}
		above, name := split(d.path)
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
		if err := setDir(parent, name, d); err != nil {
			return fmt.Errorf("setting owner, mode and time of the directory %s: %w", d.path, err)
		}
	}
}

// setDir sets a directory's attributes. The mode comes last because it may forbid the
// rest.
func setDir(parent *os.Root, name string, d dirState) error {
	dir, err := OpenDir(parent, name)
	if err != nil {
		return err
	}
	if !d.time.Equal(time.Time{}) {
		err = setTime(dir, ".", d.time)
	}
	if err == nil && d.owner.Known {
		err = ownDir(dir, d.owner)
	}
	if err == nil {
		err = dir.Chmod(".", FileMode(d.mode))
	}
	return errors.Join(err, dir.Close())
}

func readDir(r *bufio.Reader) (d dirState, err error) {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return d, err // io.EOF only between records
	}
	name := make([]byte, n)
	_, err = io.ReadFull(r, name)
	bits, err2 := binary.ReadUvarint(r)
	sec, err3 := binary.ReadVarint(r)
	nsec, err4 := binary.ReadVarint(r)
	owned, err5 := r.ReadByte()
	uid, err6 := binary.ReadUvarint(r)
	gid, err7 := binary.ReadUvarint(r)
	if err := errors.Join(err, err2, err3, err4, err5, err6, err7); err != nil {
		return d, fmt.Errorf("truncated: %w", err)
	}
	return dirState{string(name), uint32(bits), time.Unix(sec, nsec), stage.Owner{Known: owned != 0, UID: uint32(uid), GID: uint32(gid)}}, nil
}

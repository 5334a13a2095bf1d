package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Free returns how many more bytes can be stored, or -1 if unknown. It is optional.
func (s *storage) Free(context.Context) (int64, error) {
	dir := s.dir
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir) // the first Put creates missing directories
	}
	var room syscall.Statfs_t
	if err := syscall.Statfs(dir, &room); err != nil {
		return 0, &fs.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return max(0, int64(room.Bavail)*int64(room.Bsize)-s.keepFree), nil
}

// room returns an error if storing n bytes would leave less than keep_free.
func (s *storage) room(ctx context.Context, n int) error {
	if s.keepFree == 0 {
		return nil
	}
	free, err := s.Free(ctx)
	if err == nil && free < int64(n) {
		err = fmt.Errorf("storing %d bytes in %s would leave less free space than keep_free; free some space or use another directory", n, s.dir)
	}
	return err
}

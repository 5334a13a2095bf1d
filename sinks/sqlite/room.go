package sqlite

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/dustin/go-humanize"

	dialect "github.com/lmsvault/vault/dialects/sqlite"
	"github.com/lmsvault/vault/internal/diskspace"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// room refuses tables that are larger than the free space. A replaced database frees
// nothing: it stays until the new one is proven.
func (s *Sink) room(p *stage.Plan) error {
	dir := filepath.Dir(s.config.Path)
	space, err := diskspace.Free(dir)
	if err != nil {
		return failure.Wrap(failure.Refused, err)
	}
	free := space.Bytes
	if left, err := os.Lstat(s.config.Path + partial); err == nil {
		free += left.Size()
	}
	var needed int64
	for _, t := range p.Tables {
		needed += t.Bytes
	}
	if needed > free {
		return failure.New(failure.Refused, "%s has %s free, but the tables need about %s; free some space, or set path to another location",
			dir, human(free), human(needed))
	}
	return nil
}

func human(bytes int64) string { return humanize.IBytes(uint64(max(bytes, 0))) }

// explain adds a remedy to the error of a full file system.
func (s *Sink) explain(err error) error {
	if dialect.Full(err) {
		return fmt.Errorf("the file system of %s is full; free some space, or set path to another location: %w", s.config.Path, err)
	}
	return err
}

package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/diskspace"
)

// Config is the configuration of the storage.
type Config struct {
	Dir string `key:"dir" required:"true" help:"the directory that holds the repository" example:"/srv/backups"`
}

// Validate checks what the tags cannot express.
func (c *Config) Validate() error {
	if c.Dir == "" {
		return errors.New("local needs dir, the directory that holds the repository")
	}
	return nil
}

// Stage is the registered stage local.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "local",
			Role:    stage.RoleStorage,
			Summary: "Keeps backups in a directory: a disk, or a mounted share.",
			Doc: "The directory holds one repository, whose format docs/repository.md describes. Every object is written to a temporary file, " +
				"synced to disk and renamed, so that no object is ever visible in part. To make a second copy, copy the directory with any tool. " +
				"Nothing outside of the directory is touched: a symbolic link out of it is an error, as is a directory tmp with foreign files.",
			Parts:  []string{stage.DB, stage.Filedir, stage.Dataroot, stage.Site},
			Config: func() any { return &Config{} },
		},
		NewStorage: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.Storage, error) {
			if err := c.Validate(); err != nil {
				return nil, err
			}
			dir, err := filepath.Abs(c.Dir)
			if err != nil {
				return nil, fmt.Errorf("local: %w", err)
			}
			return &storage{dir: dir, sync: (*os.File).Sync}, nil
		}),
	}
}

// Free returns the free space of the file system where the directory is or would be
// created. It refuses a directory with a foreign tmp.
func (s *storage) Free(context.Context) (int64, error) {
	dir := s.dir
	info, err := os.Stat(dir)
	for errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir {
		dir = filepath.Dir(dir)
		info, err = os.Stat(dir)
	}
	if err != nil {
		return 0, s.explain(err)
	}
	if !info.IsDir() {
		return 0, fmt.Errorf("%s cannot be used: %s is not a directory", s.dir, dir)
	}
	if dir == s.dir {
		root, err := s.in()
		if err == nil {
			_, err = s.leftovers(root)
		}
		if err != nil {
			return 0, s.explain(err)
		}
	}
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return 0, s.explain(&fs.PathError{Op: "write to", Path: dir, Err: err})
	}
	space, err := diskspace.Free(dir)
	if err != nil {
		return 0, s.explain(err)
	}
	return space.Bytes, nil
}

package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/lmsvault/vault/plugins/sdk"
)

// Config is what with: may hold in a pipeline. Vault checks values against the
// tags, and makes its help of them.
type Config struct {
	Dir      string   `key:"dir" required:"true" help:"the directory that keeps the objects; made with the repository" example:"/srv/backups"`
	KeepFree sdk.Size `key:"keep_free" help:"refuse to store what would leave less room than this" example:"1GiB"`
}

// Validate finds what the tags can't say. It opens nothing.
func (c *Config) Validate() error {
	if c.Dir == "" {
		return sdk.At("dir", "it is empty: name a directory")
	}
	return nil
}

func declaration() sdk.Stage {
	return sdk.StorageStage("my-stage", "Keeps backups in a directory.",
		"Every object is a file of its name. Files that are being written are in ~new.", open)
}

// open makes an instance; Vault may open several. It connects, so that what is
// wrong is told before the run begins; a directory has nothing to connect to.
func open(_ context.Context, c *Config, env sdk.Env) (sdk.Storage, error) {
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("dir: %w", err)
	}
	env.Log.Debug("the storage is open", "dir", dir)
	return &storage{dir: dir, keepFree: int64(c.KeepFree)}, nil
}

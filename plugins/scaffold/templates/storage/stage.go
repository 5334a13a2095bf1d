package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/lmsvault/vault/plugins/sdk"
)

// Config has the settings given under with: in a pipeline. Vault checks them against the
// tags and generates help from them.
type Config struct {
	Dir      string   `key:"dir" required:"true" help:"directory for the objects; created with the repository" example:"/srv/backups"`
	KeepFree sdk.Size `key:"keep_free" help:"minimum free space to leave" example:"1GiB"`
}

// Validate checks what the tags can't express. It opens nothing.
func (c *Config) Validate() error {
	if c.Dir == "" {
		return sdk.At("dir", "dir is empty; name a directory")
	}
	return nil
}

func declaration() sdk.Stage {
	return sdk.StorageStage("my-stage", "Stores backups in a directory.",
		"Every object is a file of the same name. Unfinished files are in ~new.", open)
}

// open makes an instance; Vault may open several. Connect here, so that errors are reported
// before the run begins. A directory has nothing to connect to.
func open(_ context.Context, c *Config, env sdk.Env) (sdk.Storage, error) {
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("dir: %w", err)
	}
	env.Log.Debug("storage opened", "dir", dir)
	return &storage{dir: dir, keepFree: int64(c.KeepFree)}, nil
}

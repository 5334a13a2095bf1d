package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/sdk"
)

// Config is what with: may hold in a pipeline. Vault checks values against the
// tags, and makes its help of them.
type Config struct {
	File    string `key:"file" required:"true" help:"the list to write" example:"/srv/files.txt"`
	Replace bool   `key:"replace" help:"replace a list that is there; without, it is refused"`
}

// Validate finds what the tags can't say. It opens nothing.
func (c *Config) Validate() error {
	if c.File == "" {
		return sdk.At("file", "it is empty: name a file")
	}
	return nil
}

func declaration() sdk.Stage {
	return sdk.SinkStage("my-stage", "Lists the files of a site with size and hash.",
		"A line for each file: its hash (SHA-1 in filedir, else SHA-256), size and path. Tables are not listed.",
		[]string{stage.Filedir, stage.Dataroot}, open)
}

func open(_ context.Context, c *Config, _ sdk.Env) (sdk.Sink, error) {
	path, err := filepath.Abs(c.File)
	if err != nil {
		return nil, fmt.Errorf("file: %w", err)
	}
	return &sink{path: path, replace: c.Replace}, nil
}

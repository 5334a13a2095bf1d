package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/sdk"
)

// Config has the settings given under with: in a pipeline. Vault checks them against the
// tags and generates help from them.
type Config struct {
	File    string `key:"file" required:"true" help:"path of the list to write" example:"/srv/files.txt"`
	Replace bool   `key:"replace" help:"replace an existing list; refused by default"`
}

// Validate checks what the tags can't express. It opens nothing.
func (c *Config) Validate() error {
	if c.File == "" {
		return sdk.At("file", "file is empty; name a file")
	}
	return nil
}

func declaration() sdk.Stage {
	return sdk.SinkStage("my-stage", "Lists the files of a site with size and checksum.",
		"Each line has the checksum (SHA-1 for filedir, otherwise SHA-256), size and path of a file. Tables are not listed.",
		[]string{stage.Filedir, stage.Dataroot}, open)
}

func open(_ context.Context, c *Config, _ sdk.Env) (sdk.Sink, error) {
	path, err := filepath.Abs(c.File)
	if err != nil {
		return nil, fmt.Errorf("file: %w", err)
	}
	return &sink{path: path, replace: c.Replace}, nil
}

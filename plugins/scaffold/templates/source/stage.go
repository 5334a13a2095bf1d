package main

import (
	"context"
	"fmt"
	"os"
	"regexp"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/sdk"
)

// Config has the settings given under with: in a pipeline. Vault checks them against the
// tags and generates help from them.
type Config struct {
	File      string `key:"file" required:"true" help:"path of the text file, in UTF-8" example:"/srv/lines.txt"`
	Table     string `key:"table" default:"lines" help:"name of the table, without prefix"`
	SkipEmpty bool   `key:"skip_empty" help:"leave out empty lines"`
}

// Validate checks what the tags can't express. It opens nothing.
func (c *Config) Validate() error {
	if !regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(c.Table) {
		return sdk.At("table", "%q must consist of a-z, 0-9 and _, and begin with a letter", c.Table)
	}
	return nil
}

func declaration() sdk.Stage {
	return sdk.SourceStage("my-stage", "Reads the lines of a text file as a table.",
		"The table has the columns id (the line number) and line.", []string{stage.DB}, open)
}

// open makes an instance; Vault may open several.
func open(_ context.Context, c *Config, _ sdk.Env) (sdk.Source, error) {
	f, err := os.Open(c.File)
	if err != nil {
		return nil, fmt.Errorf("file: %w", err)
	}
	return &source{Config: *c, f: f}, nil
}

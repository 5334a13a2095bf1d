package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/lmsvault/vault/builtin"
	"github.com/lmsvault/vault/core/engine"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/stage"
)

const backup = `
version: 1
name: nightly
memory: 256MiB
source: [{use: sample, with: {db_bytes: 64KiB, files: false}}]
sink: [{use: local, with: {dir: repository, create: true}}]
`

// phases prints the phases of a run.
type phases struct{ progress.Silent }

func (phases) Report(e progress.Event) {
	if e.Kind == progress.Phase {
		fmt.Println(e.Phase)
	}
}

// A program that embeds Vault and backs up a site.
func Example() {
	if err := run(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// plan
	// prepare
	// read
	// finish
	// prove
	// nightly: 1 snapshot
}

func run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "example-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "nightly.yaml")
	if err := os.WriteFile(file, []byte(backup), 0o600); err != nil {
		return err
	}
	stages, err := builtin.Stages() // stages of your own can be added with stage.NewRegistry
	if err != nil {
		return err
	}
	p, findings, err := pipeline.Load(file, pipeline.Options{Registry: stages})
	if err != nil {
		return err
	}
	if p == nil {
		return fmt.Errorf("invalid pipeline: %v", findings)
	}
	env := stage.Env{Log: slog.New(slog.DiscardHandler), TempDir: dir, Version: "1.0.0"}
	job, err := engine.Build(ctx, p, stages, env, phases{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, job.Close(ctx)) }()
	result, err := job.Run(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d snapshot\n", result.Pipeline, len(result.Stored))
	return nil
}

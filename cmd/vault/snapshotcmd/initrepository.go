package snapshotcmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/engine"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/stage"
)

// NewInitRepository returns the command "init-repository".
func NewInitRepository(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "init-repository PIPELINE or DIR…",
		Short: "Create a repository",
		Long: `Create a repository. Given a pipeline file (.yaml), create one in every storage under
sink, with a key for the file's transforms. Given a directory, create one there; the
first backup creates its key.

The storage must be empty. An existing repository is not changed. A backup creates a
repository only if its sink says create: true; otherwise a backup to a disk that is not
mounted would start a second one.`,
		Example: "  vault init-repository pipelines/backup-local.yaml\n  vault init-repository /srv/backups/moodle",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cli.Takes("PIPELINE or DIR")(cmd, args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return initRepositories(a, cmd, args) },
	}
	cli.PipelineFlags(cmd, false)
	return cmd
}

func initRepositories(a *cli.App, cmd *cobra.Command, args []string) error {
	var all []engine.Created
	for _, arg := range args {
		made, err := initRepository(a, cmd, arg)
		all = append(all, made...)
		if err != nil {
			return errors.Join(printCreated(a, all, ""), err)
		}
	}
	next := "vault run PIPELINE"
	if len(args) == 1 && isFile(args[0]) {
		next = "vault run " + args[0]
	}
	if err := printCreated(a, all, next); err != nil {
		return err
	}
	if !slices.ContainsFunc(all, func(c engine.Created) bool { return !c.Existed }) {
		return failure.New(failure.Refused, "the repository exists already")
	}
	return nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// initRepository creates the repositories of a pipeline, or one in a directory.
func initRepository(a *cli.App, cmd *cobra.Command, arg string) ([]engine.Created, error) {
	ctx := cmd.Context()
	env, err := env(a)
	if err != nil {
		return nil, err
	}
	if isFile(arg) {
		p, err := a.Load(cmd, arg, pipeline.Options{Creating: true})
		if err != nil {
			return nil, err
		}
		made, err := engine.CreateRepositories(ctx, p, env)
		if err == nil && made == nil {
			err = failure.New(failure.Usage, "pipeline %s has no storage under sink, so there is no repository to create", arg)
		}
		return made, err
	}
	at, err := locate(a, cmd, arg, cli.KeysOfRepo)
	if err != nil {
		return nil, err
	}
	c := engine.Created{Storage: at.stage.Name, Where: arg}
	err = createAt(ctx, at, env)
	if c.Existed = errors.Is(err, repository.ErrRepositoryExists); err != nil && !c.Existed {
		return nil, fmt.Errorf("%s: %w", arg, err)
	}
	return []engine.Created{c}, nil
}

func createAt(ctx context.Context, at location, env stage.Env) error {
	storage, err := at.stage.NewStorage(ctx, at.config, env)
	if err != nil {
		return err
	}
	return repository.Create(ctx, storage, repository.Creation{NoKey: true})
}

// printCreated prints the new repositories and the next command to run.
func printCreated(a *cli.App, all []engine.Created, next string) error {
	if len(all) == 0 {
		return nil
	}
	if a.Flag("json").On {
		return a.PrintJSON(all)
	}
	var b strings.Builder
	made := false
	for _, c := range all {
		switch {
		case c.Existed:
			fmt.Fprintf(&b, "%s: already has a repository\n", cli.Plain(c.Where))
			continue
		case c.Encrypted:
			fmt.Fprintf(&b, "%s: created an encrypted repository\n", cli.Plain(c.Where))
		default:
			fmt.Fprintf(&b, "%s: created a repository\n", cli.Plain(c.Where))
		}
		made = true
	}
	if made && next != "" {
		fmt.Fprintf(&b, "next: %s\n", next)
	}
	return a.Print(b.String())
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/run"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/storages/local"
)

// repoCommand makes a command that works on a repository: the first argument is
// its directory. It is opened before do and closed afterwards.
func repoCommand(a *app, cmd *cobra.Command, do func(ctx context.Context, r *repository.Repository, args []string) error) *cobra.Command {
	flags := cmd.Flags()
	flags.String("passphrase-file", "", "file with the passphrase (else LMSVAULT_PASSPHRASE, else it is asked for on a terminal)")
	flags.String("identity-file", "", "file with an age identity of one of the recipients")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		ctx := cmd.Context()
		if err := directory(args[0]); err != nil {
			return err
		}
		scratch, err := a.newWorkspace()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, scratch.remove()) }()
		r, err := a.open(ctx, args[0], stage.Env{Log: a.log, TempDir: scratch.dir(), Workers: 1, Version: version()})
		if err != nil {
			return fmt.Errorf("repository %s: %w", args[0], err)
		}
		defer func() { err = errors.Join(err, r.Close(context.WithoutCancel(ctx))) }()
		return do(ctx, r, args[1:])
	}
	return cmd
}

// directory refuses what can be no repository's directory.
func directory(path string) error {
	if path == "" {
		return failure.New(failure.Usage, "the repository's directory is an empty text; is a variable of the shell not set?")
	}
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return failure.New(failure.Usage, "repository %s: it is a file, not a directory", path)
	}
	return nil // what else is wrong with it, opening it tells
}

// snapshotFlag adds --snapshot.
func snapshotFlag(cmd *cobra.Command) {
	cmd.Flags().StringP("snapshot", "s", repository.Latest, "which snapshot: an id, the beginning of one, or latest")
}

func (a *app) open(ctx context.Context, dir string, env stage.Env) (*repository.Repository, error) {
	storage, err := local.Stage().NewStorage(ctx, &local.Config{Dir: dir}, env)
	if err != nil {
		return nil, err
	}
	keys := run.Keys{Registry: a.stages, Env: env}
	if keys.Passphrase, keys.Identity, err = a.given(); err != nil {
		return nil, errors.Join(err, storage.Close(ctx))
	}
	chain := keys.Chain()
	chain.Transform = func(ctx context.Context, name string) (stage.ByteTransform, error) {
		if s, ok := a.stages.Find(stage.RoleTransform, name); ok && s.Seals && !chain.Secret && keys.Passphrase.IsZero() {
			var err error
			if keys.Passphrase, err = a.ask(ctx); err != nil {
				return nil, err
			}
		}
		return keys.Transform(ctx, name)
	}
	return repository.Open(ctx, storage, chain)
}

// given returns the passphrase and identity that were given, which may be none.
func (a *app) given() (passphrase, identity config.Secret, err error) {
	if path := a.settings.GetString("identity-file"); path != "" {
		if identity, err = config.SecretFile(path); err != nil {
			return passphrase, identity, failure.New(failure.Usage, "--identity-file: %w", err)
		}
	}
	if path := a.settings.GetString("passphrase-file"); path != "" {
		if passphrase, err = config.SecretFile(path); err != nil {
			return passphrase, identity, failure.New(failure.Usage, "--passphrase-file: %w", err)
		}
	} else if text, ok := os.LookupEnv(envPrefix + "_PASSPHRASE"); ok {
		passphrase = config.NewSecret(text)
	}
	return passphrase, identity, nil
}

// day is how points in time are printed.
func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

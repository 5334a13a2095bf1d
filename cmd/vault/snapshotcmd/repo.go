package snapshotcmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/engine"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/stage"
)

// repoCommand completes a command that works on a repository. The first argument is its
// directory, or a pipeline file with its storage. The repository is opened before do and
// closed afterwards.
func repoCommand(a *cli.App, cmd *cobra.Command, do func(ctx context.Context, r *repository.Repository, args []string) error) *cobra.Command {
	flags := cmd.Flags()
	flags.String("passphrase-file", "", "file or pipe with the passphrase (default LMSVAULT_PASSPHRASE; asked for on a terminal)")
	flags.String("identity-file", "", "file or pipe with an age identity of one of the recipients")
	flags.StringSlice("signer", nil, "trust only snapshots signed with this public key (vault-signer-…); latest skips others; may be repeated")
	flags.String("site", "", "only snapshots of this site (identifier or name)")
	flags.String("pipeline", "", "only snapshots of this pipeline")
	flags.StringSlice("tag", nil, "only snapshots with this tag; if repeated, only those with all tags")
	cli.PipelineFlags(cmd, false)
	cmd.Long = cmp.Or(cmd.Long, cmd.Short+".") + repoHelp
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		ctx := cmd.Context()
		if cmd.Name() != "verify" { // verify reports progress
			a.Document.Store(true)
		}
		if a.Want, err = choice(flags); err != nil {
			return err
		}
		signers, err := trusted(flags)
		if err != nil {
			return err
		}
		if flags.Lookup("snapshot") != nil {
			var snapshot string
			if snapshot, args = pickSnapshot(args); snapshot != "" {
				a.Want.Snapshot = snapshot
			}
		}
		place, err := locate(a, cmd, args[0], cli.KeysOfRepo)
		if err != nil {
			return err
		}
		a.Signing = place.signing
		if len(signers) > 0 {
			place.signers = signers // flags override the file
		}
		if f := flags.Lookup("snapshot"); f != nil && f.DefValue == stage.Latest {
			a.Want.Site, a.Want.Pipeline = cmp.Or(a.Want.Site, place.site), cmp.Or(a.Want.Pipeline, place.pipeline)
		}
		r, err := open(a, ctx, place, cli.KeysOfRepo)
		if err != nil {
			return fmt.Errorf("repository %s: %w", args[0], err)
		}
		defer func() { err = errors.Join(err, r.Close(context.WithoutCancel(ctx))) }()
		return do(ctx, r, args[1:])
	}
	return cmd
}

// catalogCommand is a repoCommand that needs only a catalog of snapshots.
func catalogCommand(a *cli.App, cmd *cobra.Command, do func(ctx context.Context, c stage.Catalog, args []string) error) *cobra.Command {
	return repoCommand(a, cmd, func(ctx context.Context, r *repository.Repository, args []string) error {
		key, err := signingKey(a, ctx, cmd.Flags())
		if err != nil {
			return err
		}
		return do(ctx, repository.NewCatalog(r, key), args)
	})
}

// browserCommand is a catalogCommand that reads entries.
func browserCommand(a *cli.App, cmd *cobra.Command, do func(ctx context.Context, c stage.Browser, args []string) error) *cobra.Command {
	return catalogCommand(a, cmd, func(ctx context.Context, c stage.Catalog, args []string) error {
		b, ok := c.(stage.Browser)
		if !ok {
			return failure.New(failure.Usage, "single entries of these snapshots can't be read; restore the snapshot")
		}
		return do(ctx, b, args)
	})
}

const repoHelp = `

REPO is the repository's directory, or a pipeline file (.yaml) with one storage. The
storage of a plugin can only be given as a file. The keys come from the file: from a
storage under source, or from the encrypt step.`

// open opens a repository with the keys of its location or the flags.
func open(a *cli.App, ctx context.Context, at location, flags cli.KeyFlags) (*repository.Repository, error) {
	env, err := env(a)
	if err != nil {
		return nil, err
	}
	chain, err := chain(a, ctx, at, env, flags)
	if err != nil {
		return nil, err
	}
	storage, err := at.stage.NewStorage(ctx, at.config, env)
	if err != nil {
		return nil, err
	}
	return repository.Open(ctx, storage, chain)
}

// env returns the environment of stages for commands that do not run a pipeline.
func env(a *cli.App) (stage.Env, error) {
	scratch, err := a.Scratch()
	if err != nil {
		return stage.Env{}, err
	}
	return stage.Env{Log: a.Log, TempDir: scratch.Dir(), Workers: 1, Version: cli.Version()}, nil
}

// chain opens the keys of a repository. It prompts for a passphrase only if a key needs
// one.
func chain(a *cli.App, ctx context.Context, at location, env stage.Env, flags cli.KeyFlags) (repository.Chain, error) {
	keys := engine.Keys{Stages: at.stages, Env: env, Passphrase: at.passphrase, Identity: at.identity, Signers: at.signers, Owner: at.owner}
	if keys.Passphrase.IsZero() && keys.Identity.IsZero() {
		var err error
		if keys.Passphrase, keys.Identity, err = a.Given(ctx, flags); err != nil {
			return repository.Chain{}, err
		}
	}
	chain := keys.Chain()
	chain.Transform = func(ctx context.Context, name string) (stage.ByteTransform, error) {
		if s, ok := at.stages.Find(stage.RoleTransform, name); ok && s.Seals && !chain.Secret && keys.Passphrase.IsZero() {
			var err error
			if keys.Passphrase, err = a.Ask(ctx, flags); err != nil {
				return nil, err
			}
		}
		return keys.Transform(ctx, name)
	}
	return chain, nil
}

// day formats a point in time.
func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

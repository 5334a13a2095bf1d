package snapshotcmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/engine"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/stage"
)

// NewKey returns the command "key".
func NewKey(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Manage the keys of a repository, and create signing keys",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("%s has no command %q", cmd.CommandPath(), args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newKeyList(a), newKeyAdd(a), newKeyRemove(a), newKeyRenew(a), newKeyNew(a))
	return cmd
}

func newKeyNew(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "new FILE",
		Short: "Create a signing key and print its public key",
		Long: `Create a key that signs snapshots in a new file that only you can read, and print
its public key. Set the file in the sink (signing_key: ${file:FILE}), and the public
key on the machine that restores (signers, or --signer). Keep the public key where
nobody who can write to the storage can change it.`,
		Example: "  vault key new /etc/vault/signing.key",
		Args:    cli.Takes("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			key, err := manifest.NewSigningKey()
			if err != nil {
				return err
			}
			if err := writeKey(args[0], key); err != nil {
				return err
			}
			if a.Flag("json").On {
				return a.PrintJSON(map[string]string{"file": args[0], "signer": key.Signer().String()})
			}
			return a.Print(key.Signer().String() + "\n")
		},
	}
}

// writeKey writes a key to a new file. It removes the file after an error.
func writeKey(path string, key manifest.SigningKey) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return failure.New(failure.Refused, "%s exists; choose another name (snapshots signed with the old key need its public key)", path)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(key.File())
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// keyRepository completes a command that changes who can open a repository. If owner
// returns true, an identity opens only keys created by its holder, because only those may
// be shared with a passphrase.
func keyRepository(a *cli.App, cmd *cobra.Command, owner func() bool, do func(ctx context.Context, r *repository.Repository, env stage.Env, args []string) error) *cobra.Command {
	flags := cmd.Flags()
	flags.String("passphrase-file", "", "file or pipe with a passphrase of the repository (default LMSVAULT_PASSPHRASE; asked for on a terminal)")
	flags.String("identity-file", "", "file or pipe with an age identity of one of the recipients")
	cli.PipelineFlags(cmd, false)
	cmd.Long += repoHelp
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		ctx := cmd.Context()
		a.Document.Store(true)
		at, err := locate(a, cmd, args[0], cli.KeysOfRepo)
		if err != nil {
			return err
		}
		at.stages.Registry, at.owner = a.Stages, owner() // keys are not sent to other processes
		env, err := env(a)
		if err != nil {
			return err
		}
		r, err := open(a, ctx, at, cli.KeysOfRepo)
		if err != nil {
			return fmt.Errorf("repository %s: %w", args[0], err)
		}
		defer func() { err = errors.Join(err, r.Close(context.WithoutCancel(ctx))) }()
		return do(ctx, r, env, args[1:])
	}
	return cmd
}

func reading() bool { return false }

func newKeyList(a *cli.App) *cobra.Command {
	return keyRepository(a, &cobra.Command{
		Use:   "list REPO",
		Short: "List the passphrases and recipients that open a repository",
		Long: `List the passphrases and recipients that open a repository. They are not stored, so
the list shows an ID for each, whether it is a passphrase or recipients, when it was
added, and the number of keys that it opens. A repository gets another key when its
readers or transforms change.`,
		Args: cli.Takes("REPO"),
	}, reading, func(ctx context.Context, r *repository.Repository, _ stage.Env, _ []string) error {
		list, notes, err := r.Accesses(ctx)
		if err != nil {
			return err
		}
		for _, n := range notes {
			a.Warning(n.Path, n.Text)
		}
		if a.Flag("json").On {
			return a.PrintJSON(append([]repository.Access{}, list...))
		}
		rows := [][]string{{"ID", "OPENS FOR", "SINCE", "MADE ON", "KEYS", ""}}
		for _, l := range list {
			used := ""
			if l.Used {
				used = "used now"
			}
			rows = append(rows, []string{l.ID, cli.Plain(l.Readers), day(l.Created), cli.Plain(l.Host), cli.Number(int64(len(l.Keys))), used})
		}
		return a.Table(rows)
	})
}

func newKeyAdd(a *cli.App) *cobra.Command {
	var recipients []string
	cmd := &cobra.Command{
		Use:   "add REPO",
		Short: "Let another passphrase or recipient open a repository",
		Long: `Let another passphrase or other recipients open a repository with all its data. No data
is stored again; only the existing key is encrypted for the new readers. Give a current
passphrase or identity, and either recipients or the new passphrase: in a file, in
LMSVAULT_NEW_PASSPHRASE or on the terminal.

A pipeline continues under the existing key if one ID stands for exactly the passphrase
and recipients of the pipeline. If a pipeline has both, add both in one command.`,
		Example: "  vault key add /srv/backups --new-passphrase-file /etc/vault/passphrase.new\n" +
			"  vault key add nightly.yaml --recipient age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
		Args: cli.Takes("REPO"),
	}
	flags := cmd.Flags()
	flags.String("new-passphrase-file", "", "file or pipe with the new passphrase (default LMSVAULT_NEW_PASSPHRASE; asked for on a terminal)")
	flags.StringSliceVar(&recipients, "recipient", nil, "age public key (age1…) whose holder can open the repository; may be repeated")
	// A key that somebody else created for a recipient may be shared with more recipients.
	owner := func() bool {
		_, set := config.SecretVariable(cli.NewKeys.Variable)
		return len(recipients) == 0 || set || flags.Changed("new-passphrase-file")
	}
	return keyRepository(a, cmd, owner, func(ctx context.Context, r *repository.Repository, env stage.Env, _ []string) error {
		readers := engine.Readers{Stages: cli.Finder{Registry: a.Stages, Plugins: a.Plugins(ctx), Base: "."}, Env: env, Recipients: recipients}
		if owner() {
			var err error
			if readers.Passphrase, err = a.NewPassphrase(ctx); err != nil {
				return err
			}
		}
		shared, err := r.AddAccess(ctx, readers.Transform)
		if err != nil {
			return err
		}
		if a.Flag("json").On {
			return a.PrintJSON(shared)
		}
		var b strings.Builder
		cli.Notes(&b, shared.Notes)
		fmt.Fprintf(&b, "added %s; it opens %s\n", shared.ID, cli.Count(len(shared.Keys), "key"))
		return a.Print(b.String())
	})
}

func newKeyRemove(a *cli.App) *cobra.Command {
	return keyRepository(a, &cobra.Command{
		Use:   "remove REPO ID…",
		Short: "Remove a passphrase or recipients from a repository",
		Long: `Remove passphrases and recipients by the IDs that vault key list shows. Give a
passphrase or identity that remains, so that the last one is never removed.

` + removedHelp,
		Example: "  vault key remove /srv/backups 1a2b3c4d --passphrase-file /etc/vault/passphrase.new",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return cli.Takes("REPO", "ID")(cmd, args)
			}
			return nil
		},
	}, reading, func(ctx context.Context, r *repository.Repository, _ stage.Env, ids []string) error {
		shared, err := r.RemoveAccess(ctx, ids)
		if err != nil {
			return err
		}
		if a.Flag("json").On {
			return a.PrintJSON(shared)
		}
		return a.Print(fmt.Sprintf("removed %s from %s\n\n%s\n", strings.Join(ids, ", "), cli.Count(len(shared.Keys), "key"), removedHelp))
	})
}

const removedHelp = `The key itself does not change. Someone who had a removed passphrase or identity may
have copied the key, or the object that it opened. With that and access to the storage
they can still read existing data and later backups. To exclude them from later backups,
create a new key with vault key renew PIPELINE, and change the storage's password. Their
access to existing data can't be revoked.`

func newKeyRenew(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "renew PIPELINE",
		Short: "Create a new key for later backups",
		Long: `Create a new key in each repository that a pipeline file (.yaml) backs up to, only for
the passphrase and recipients of the file. The next backup stores everything again under
this key. Existing data stays under its old key; remove it with vault forget and vault
prune when it is no longer needed.`,
		Example: "  vault key renew nightly.yaml",
		Args:    cli.Takes("PIPELINE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.Load(cmd, args[0], pipeline.Options{Creating: true})
			if err != nil {
				return err
			}
			env, err := env(a)
			if err != nil {
				return err
			}
			renewed, err := engine.RenewKeys(cmd.Context(), p, env)
			if err != nil {
				return err
			}
			if a.Flag("json").On {
				return a.PrintJSON(map[string][]string{"repositories": renewed})
			}
			var b strings.Builder
			for _, where := range renewed {
				fmt.Fprintf(&b, "%s: created a new key; the next backup stores everything again under it\n", cli.Plain(where))
			}
			return a.Print(b.String())
		},
	}
	cli.PipelineFlags(cmd, false)
	return cmd
}

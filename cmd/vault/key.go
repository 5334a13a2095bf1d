package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository"
)

func newKey(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Make keys that sign snapshots",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("%s has no command %q", cmd.CommandPath(), args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newKeyNew(a))
	return cmd
}

func newKeyNew(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "new FILE",
		Short: "Make a signing key and print its public key",
		Long: `Make a key that signs snapshots, in a new file that only you can read, and print
its public key. The sink gets the file (signing_key: ${file:FILE}), and the
machine that restores gets the public key (signers, or --signer). Keep the public
key where nobody who can write to the storage can change it.`,
		Example: "  vault key new /etc/vault/signing.key",
		Args:    takes("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			key, err := repository.NewSigningKey()
			if err != nil {
				return err
			}
			if err := writeKey(args[0], key); err != nil {
				return err
			}
			if a.flag("json").on {
				return a.printJSON(map[string]string{"file": args[0], "signer": key.Signer().String()})
			}
			return a.print(key.Signer().String() + "\n")
		},
	}
}

// writeKey keeps a key in a new file. A file that could not be written whole is removed.
func writeKey(path string, key repository.SigningKey) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return failure.New(failure.Refused, "%s exists; snapshots that an old key has signed need its public key, so choose another name", path)
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

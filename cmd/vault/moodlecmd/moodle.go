package moodlecmd

import (
	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
)

// New returns the command "moodle".
func New(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "moodle",
		Short: "Work on a live Moodle site",
		Args:  cli.NoCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRemoveMissing(a), newReplaceAddress(a), newSafeClone(a))
	return cmd
}

package moodlecmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/stage"
)

func newRemoveMissing(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "remove-missing SITE",
		Short: "Uninstall plugins whose code is missing",
		Long: `Uninstall plugins that are in the database of a site and whose code is missing, as far
as that is possible without their code: tables, settings, capabilities, tasks, files,
activities and others. PHP is not needed. SITE is the directory of the site's code, with
config.php, or a pipeline file that names the site.

The plugins are listed first, with all that would be removed, and must be confirmed.
Afterwards the site's caches are emptied. Nothing is removed while Moodle needs an
upgrade; plugins that are part of Moodle are left. Make a backup before.`,
		Args: cli.Takes("SITE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			a.Document.Store(true)
			s, err := siteOf(a, cmd, args[0])
			if err != nil {
				return err
			}
			dry, err := cmd.Flags().GetBool("dry-run")
			if err != nil {
				return err
			}
			yes, err := cmd.Flags().GetBool("yes")
			if err != nil {
				return err
			}
			return s.removeMissing(cmd.Context(), dry, yes)
		},
	}
	siteFlags(cmd)
	return cmd
}

func (s *site) removeMissing(ctx context.Context, dry, yes bool) error {
	const action = "remove-missing"
	would, err := s.perform(ctx, action, true)
	if err != nil {
		return err
	}
	removes := 0
	for _, f := range would.Findings {
		if f.ID == "missing-plugin" {
			removes++
		}
	}
	if dry || removes == 0 {
		if err := s.print(would); err != nil {
			return err
		}
		return failed(would)
	}
	question := text([]stage.ActionResult{would}) + fmt.Sprintf("%s would be uninstalled. This can't be undone.", cli.Count(removes, "plugin"))
	if err := s.app.Confirm(ctx, question, yes); err != nil {
		return err
	}
	done, err := s.perform(ctx, action, false)
	if err != nil {
		return err
	}
	results := []stage.ActionResult{done}
	if done.Level != stage.LevelFail {
		purged, err := s.perform(ctx, "purge-caches", false)
		if err != nil {
			return err
		}
		results = append(results, purged)
	}
	if err := s.print(results...); err != nil {
		return err
	}
	return failed(results...)
}

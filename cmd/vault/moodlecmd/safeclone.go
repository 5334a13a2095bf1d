package moodlecmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/actions/safeclone"
	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/stage"
)

func newSafeClone(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "safe-clone SITE",
		Short: "Make an existing copy of a site safe: no mail, no cron, no keys of other services",
		Long: `Make an existing copy of a site safe. SITE is the directory of its code, with its own
config.php, or a pipeline file that names the site. Mail and cron are turned off, keys of other services are emptied, and a
banner says that it is a copy; vault stages safe-clone lists all measures. It may be
repeated at any time.

A restore with the sink moodle does this by itself when the target has another address
than the original. A site that may be the original is refused: for a copy that was made
with other tools, say --with copy=true after a check.`,
		Example: "  vault moodle safe-clone /var/www/staging --dry-run\n" +
			"  vault moodle safe-clone /var/www/staging --with copy=true --with 'admin_password=${env:COPY_PASSWORD}'",
		Args: cli.Takes("SITE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			a.Document.Store(true)
			s, err := siteOf(a, cmd, args[0])
			if err != nil {
				return err
			}
			var c safeclone.Config
			if err := s.with(cmd, &c); err != nil {
				return err
			}
			a.Hide(c.AdminPassword)
			dry, err := cmd.Flags().GetBool("dry-run")
			if err != nil {
				return err
			}
			yes, err := cmd.Flags().GetBool("yes")
			if err != nil {
				return err
			}
			return s.safeClone(cmd.Context(), &c, dry, yes)
		},
	}
	siteFlags(cmd)
	withFlag(cmd, "safe-clone")
	return cmd
}

// safeClone says what would change, asks, changes it and empties the caches.
func (s *site) safeClone(ctx context.Context, c *safeclone.Config, dry, yes bool) error {
	action := safeclone.Stage()
	would, err := s.performWith(ctx, action, c, true)
	if err != nil {
		return err
	}
	if dry || would.Level == stage.LevelFail {
		return errors.Join(s.print(would), failed(would))
	}
	question := text([]stage.ActionResult{would}) + fmt.Sprintf("The site in %s would be made a safe copy. This can't be undone.", c.Dir)
	if err := s.app.Confirm(ctx, question, yes); err != nil {
		return err
	}
	done, err := s.performWith(ctx, action, c, false)
	if err != nil {
		return err
	}
	purged, err := s.perform(ctx, "purge-caches", false)
	if err != nil {
		return errors.Join(s.print(done), fmt.Errorf("the site is a safe copy, but its caches may hold old settings: %w", err))
	}
	return errors.Join(s.print(done, purged), failed(done, purged))
}

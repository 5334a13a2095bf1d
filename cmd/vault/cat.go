package main

import (
	"bufio"
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/core/repository"
)

func newCat(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cat REPO PATH",
		Short: "Print the content of an entry of a snapshot",
		Long: `Print the content of one entry: a file's bytes, or a table's rows as
tab-separated text that psql's \copy and LOAD DATA read.`,
		Example: "  vault cat /srv/backups db/config\n  vault cat /srv/backups dataroot/lang/en/langconfig.php --snapshot 20260101",
		Args:    takes("REPO", "PATH"),
	}
	snapshotFlag(cmd)
	return repoCommand(a, cmd, func(ctx context.Context, r *repository.Repository, args []string) error {
		s, err := r.Load(ctx, a.choice())
		if err != nil {
			return err
		}
		out := bufio.NewWriterSize(a.out, 64<<10)
		return errors.Join(r.Cat(ctx, s, args[0], out), out.Flush())
	})
}

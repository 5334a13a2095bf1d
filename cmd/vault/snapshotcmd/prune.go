package snapshotcmd

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/stage"
)

// NewPrune returns the command "prune".
func NewPrune(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "prune REPO",
		Short: "Delete data that no snapshot needs",
		Long: `Delete data that no snapshot needs, such as the data of snapshots that vault forget
removed. Packs that are all waste are deleted. Packs with more waste than --max-waste
are repacked: the needed data is first read, checked and stored in new packs. Small
packs, which each backup leaves at its end, and small indexes are merged.

Prune needs exclusive access: it is refused while a backup, restore or verification
runs, and those are refused while it runs. If it is interrupted, every snapshot stays
complete, and the next prune continues.`,
		Example: "  vault prune /srv/backups --dry-run\n  vault prune nightly.yaml --max-waste 20",
		Args:    cli.Takes("REPO"),
	}
	flags := cmd.Flags()
	most := flags.Int("max-waste", repository.DefaultMaxWaste, "repack packs with more than this percentage of waste")
	flags.Bool("dry-run", false, "only show what would be freed")
	repoCommand(a, cmd, func(ctx context.Context, r *repository.Repository, _ []string) error {
		if *most < 0 || *most > 100 {
			return failure.New(failure.Usage, "--max-waste must be from 0 to 100, not %d", *most)
		}
		if a.Want != (stage.Choice{}) {
			return failure.New(failure.Usage, "prune always covers all snapshots; omit --site, --pipeline and --tag, or use vault forget to remove snapshots")
		}
		dry, asJSON := a.Flag("dry-run").On, a.Flag("json").On
		var failed error
		p, err := r.Prune(ctx, repository.PruneRequest{MaxWaste: *most, DryRun: dry,
			Planned: func(p *repository.Pruning) {
				if !asJSON {
					failed = a.Print(planned(p))
				}
			},
			Report: func(done, total int64) {
				if !asJSON {
					a.Reporter.Report(progress.Event{Kind: progress.Moving, Phase: "prune", Bytes: done, TotalBytes: total})
				}
			}})
		switch {
		case err != nil:
			return err
		case failed != nil:
			return failed
		case asJSON:
			return a.PrintJSON(struct {
				DryRun bool `json:"dry_run"`
				*repository.Pruning
			}{dry, p})
		}
		var b strings.Builder
		cli.Notes(&b, p.Notes)
		if !dry {
			fmt.Fprintf(&b, "freed %s\n", cli.Size(p.Free))
		}
		return a.Print(b.String())
	})
	for _, name := range []string{"site", "pipeline", "tag", "signer"} {
		flags.Lookup(name).Hidden = true
	}
	return cmd
}

// planned describes what a prune will do.
func planned(p *repository.Pruning) string {
	return fmt.Sprintf("needed by %s: %s of %s; waste: %s in %s\n"+
		"to delete: %s; to repack: %s; to merge: %s; %s to store again; frees %s\n",
		cli.Count(p.Snapshots, "snapshot"), cli.Size(p.Bytes-p.Waste), cli.Size(p.Bytes), cli.Size(p.Waste), cli.Count(p.Packs, "pack"),
		cli.Count(p.Remove, "pack"), cli.Count(p.Repack, "pack"), cli.Count(p.Merge, "small pack"), cli.Size(p.Rewrite), cli.Size(p.Free))
}

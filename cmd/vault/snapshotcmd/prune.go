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

// NewPrune makes the command "prune".
func NewPrune(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "prune REPO",
		Short: "Free the space that no snapshot needs",
		Long: `Delete what no snapshot needs, such as the data of snapshots that vault forget removed.
Packs that are all waste are deleted. Packs with more waste than --max-waste are
repacked: what is needed of them is read, checked and stored in new packs first. Small
packs, which the end of each backup leaves, and small indexes are merged.

Prune works alone: it is refused while a backup, restore or verification runs, and those
while it runs. If it is interrupted at any point, every snapshot stays complete, and the
next prune continues.`,
		Example: "  vault prune /srv/backups --dry-run\n  vault prune nightly.yaml --max-waste 20",
		Args:    cli.Takes("REPO"),
	}
	flags := cmd.Flags()
	most := flags.Int("max-waste", repository.DefaultMaxWaste, "repack packs of which more than so many percent are waste")
	flags.Bool("dry-run", false, "only show what would be freed")
	repoCommand(a, cmd, func(ctx context.Context, r *repository.Repository, _ []string) error {
		if *most < 0 || *most > 100 {
			return failure.New(failure.Usage, "--max-waste must be from 0 to 100, not %d", *most)
		}
		if a.Want != (stage.Choice{}) {
			return failure.New(failure.Usage, "prune looks at all snapshots; leave --site, --pipeline and --tag out, and remove snapshots with vault forget")
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

// planned says what a prune is going to do.
func planned(p *repository.Pruning) string {
	return fmt.Sprintf("needed by %s: %s of %s; waste: %s in %s\n"+
		"to delete: %s; to repack: %s; to merge: %s; %s to store anew; this frees %s\n",
		cli.Count(p.Snapshots, "snapshot"), cli.Size(p.Bytes-p.Waste), cli.Size(p.Bytes), cli.Size(p.Waste), cli.Count(p.Packs, "pack"),
		cli.Count(p.Remove, "pack"), cli.Count(p.Repack, "pack"), cli.Count(p.Merge, "small pack"), cli.Size(p.Rewrite), cli.Size(p.Free))
}

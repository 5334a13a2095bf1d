package snapshotcmd

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/stage"
)

// NewVerify returns the command "verify".
func NewVerify(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify REPO [SNAPSHOT]",
		Short: "Check that snapshots can be restored",
		Long: `Read and decrypt the stored data, and recompute the checksums of every table and file,
for the whole repository or for the given snapshots. Damaged objects are listed with
their contents, and the exit code is 4.

With --read-data-subset, read all manifests and lists, but only part of the content:
1/7 to 7/7 on the days of a week read everything once a week. The checksums of tables
and files are not recomputed.`,
		Args: takesSnapshot("REPO"),
	}
	cmd.Flags().StringP("snapshot", "s", "", "only this snapshot: an ID, the beginning of one, or latest")
	cmd.Flags().String("read-data-subset", "", "read only part of the packs: N/M for the Nth of M parts, or P% for a random selection")
	return catalogCommand(a, cmd, func(ctx context.Context, c stage.Catalog, _ []string) error {
		a.Reporter.Report(progress.Event{Kind: progress.Phase, Phase: "verify"})
		subset, err := cmd.Flags().GetString("read-data-subset")
		if err != nil {
			return err
		}
		if subset != "" {
			if _, bad := repository.ParseSubset(subset); bad != nil {
				return failure.New(failure.Usage, "--read-data-subset: %w", bad)
			}
			if a.Want != (stage.Choice{}) {
				return failure.New(failure.Usage, "--read-data-subset applies to the whole repository; omit the snapshot, --site, --pipeline and --tag")
			}
		}
		q := stage.VerifyRequest{Want: a.Want, Subset: subset, Report: func(done, total int64) {
			a.Reporter.Report(progress.Event{Kind: progress.Moving, Phase: "verify", Bytes: done, TotalBytes: total})
		}}
		if q.Want.Snapshot != "" {
			s, err := chosen(a, ctx, c)
			if err != nil {
				return err
			}
			q.Want.Snapshot = s.ID // so that a newer snapshot is not checked instead
		}
		found, err := c.Verify(ctx, q)
		if err != nil {
			return err
		}
		return verified(a, verificationOf(found, subset))
	})
}

// verification holds the results of verify.
type verification struct {
	Subset     string          `json:"read_data_subset,omitempty"`
	Damage     []stage.Finding `json:"damage"`
	Incomplete []lacks         `json:"incomplete"`           // snapshots that were partial from the beginning
	Unreadable []string        `json:"unreadable,omitempty"` // snapshots that could not be checked
	Checked    int             `json:"checked"`              // number of snapshots that were read and checked
	Snapshots  int             `json:"snapshots"`            // number of snapshots in the repository
}

func verificationOf(found *stage.Verified, subset string) verification {
	v := verification{Subset: subset, Damage: found.Damage, Incomplete: []lacks{}, Checked: len(found.Checked), Snapshots: found.Snapshots}
	for _, s := range slices.Backward(found.Checked) {
		if s.Partial() {
			v.Incomplete = append(v.Incomplete, lacks{s.ID, s.Selected(), s.Lacks})
		}
	}
	for _, l := range slices.Backward(found.Unreadable) {
		v.Unreadable = append(v.Unreadable, l.ID)
	}
	return v
}

// scope describes how much was checked.
func (v *verification) scope() string {
	if v.Snapshots == 0 {
		return "the repository has no snapshots"
	}
	if v.Subset != "" {
		return fmt.Sprintf("checked the lists of %s and %s of the content", cli.Count(v.Snapshots, "snapshot"), v.Subset)
	}
	return fmt.Sprintf("checked %d of %s", v.Checked, cli.Count(v.Snapshots, "snapshot"))
}

// verified prints the results of a verification.
func verified(a *cli.App, v verification) error {
	found := v.Damage
	if a.Flag("json").On {
		if a.Result = v; len(found) == 0 {
			a.Reporter.Report(progress.Event{Kind: progress.Done, Result: v})
		}
	} else {
		var b strings.Builder
		for _, f := range found {
			damage(&b, f)
		}
		for _, l := range v.Incomplete {
			if l.Selected {
				fmt.Fprintf(&b, "snapshot %s is partial: made with a selection; see vault show\n", l.Snapshot)
			}
			if len(l.Lacks) > 0 {
				fmt.Fprintf(&b, "snapshot %s is partial: the backup lost %s; see vault show\n", l.Snapshot, Lacking(l.Lacks))
			}
		}
		if len(found) == 0 {
			fmt.Fprintf(&b, "no damage found (%s)\n", v.scope())
		}
		if err := a.Print(b.String()); err != nil {
			return err
		}
	}
	if len(found) == 0 {
		return nil
	}
	return failure.New(failure.Unproven, "damage found in %s (%s)", cli.Count(len(found), "place"), v.scope())
}

func damage(b *strings.Builder, f stage.Finding) {
	fmt.Fprintf(b, "%s: %s\n", cli.Plain(f.Object), cli.Plain(f.Problem))
	if len(f.Snapshots) > 0 {
		fmt.Fprintf(b, "  needed by %s\n", strings.Join(f.Snapshots, ", "))
	}
	for i, e := range f.Entries {
		if i == cli.Most {
			break
		}
		fmt.Fprintf(b, "  lost: %s\n", cli.Plain(e))
	}
	if more := f.Lost - int64(min(len(f.Entries), cli.Most)); more > 0 {
		fmt.Fprintf(b, "  and %s more\n", cli.Number(more))
	}
}

package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/repository"
)

func newVerify(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify REPO [SNAPSHOT]",
		Short: "Check that snapshots can be restored",
		Long: `Read what is stored, decrypt it, and recompute the proof of every table and file:
of the whole repository, or of the snapshots that are named. Each damaged object is
listed with what it held; the exit code is 4 then.

With --read-data-subset, read all manifests and lists but only a part of the content:
1/7 to 7/7 on the days of a week read everything once a week. The proofs of tables and
files are then not recomputed.`,
		Args: takesSnapshot("REPO"),
	}
	cmd.Flags().StringP("snapshot", "s", "", "only this one: an id, the beginning of one, or latest")
	cmd.Flags().String("read-data-subset", "", "read the content of a part of the packs only: N/M for the Nth of M parts, or P% for a random choice")
	return repoCommand(a, cmd, func(ctx context.Context, r *repository.Repository, _ []string) error {
		a.reporter.Report(progress.Event{Kind: progress.Phase, Phase: "verify"})
		want := a.want
		if want.Snapshot != "" {
			s, err := a.chosen(ctx, r)
			if err != nil {
				return err
			}
			want.Snapshot = s.ID // not a newer one that appears meanwhile
		}
		report := func(done, total int64) {
			a.reporter.Report(progress.Event{Kind: progress.Moving, Phase: "verify", Bytes: done, TotalBytes: total})
		}
		var found []repository.Finding
		text, err := cmd.Flags().GetString("read-data-subset")
		if err != nil {
			return err
		}
		if text != "" {
			subset, bad := repository.ParseSubset(text)
			if bad != nil {
				return failure.New(failure.Usage, "--read-data-subset: %w", bad)
			}
			if want != (repository.Choice{}) {
				return failure.New(failure.Usage, "--read-data-subset is for the whole repository; leave the snapshot, --site, --pipeline and --tag out")
			}
			found, err = r.VerifySubset(ctx, subset, report)
		} else {
			found, err = r.Verify(ctx, want, report)
		}
		if err != nil {
			return err
		}
		list, err := r.Snapshots(ctx)
		if err != nil {
			return err
		}
		v := verification{Subset: text, Damage: found, Incomplete: []lacks{}, Snapshots: len(list)}
		v.count(list, want)
		return a.verified(v)
	})
}

// verification is what verify has found.
type verification struct {
	Subset     string               `json:"read_data_subset,omitempty"`
	Damage     []repository.Finding `json:"damage"`
	Incomplete []lacks              `json:"incomplete"` // snapshots that lack something since they were made
	Checked    int                  `json:"checked"`    // number of snapshots that were read and checked
	Snapshots  int                  `json:"snapshots"`  // number of snapshots in the repository
}

// count counts the snapshots that want matches, and lists those that lack
// something. What can't be read is in Damage.
func (v *verification) count(list []repository.Listed, want repository.Choice) {
	for _, l := range list {
		if l.Snapshot == nil || !want.Matches(l.Snapshot) || want.Snapshot != "" && want.Snapshot != l.ID {
			continue
		}
		v.Checked++
		if len(l.Snapshot.Losses) > 0 {
			v.Incomplete = append(v.Incomplete, lacks{l.ID, l.Snapshot.Lacks()})
		}
	}
}

// scope says how much was checked.
func (v *verification) scope() string {
	if v.Snapshots == 0 {
		return "the repository has no snapshots"
	}
	if v.Subset != "" {
		return fmt.Sprintf("checked the lists of %s, and %s of the content", count(v.Snapshots, "snapshot"), v.Subset)
	}
	return fmt.Sprintf("checked %d of %s", v.Checked, count(v.Snapshots, "snapshot"))
}

// verified reports what a verification found.
func (a *app) verified(v verification) error {
	found := v.Damage
	if a.flag("json").on {
		if a.result = v; len(found) == 0 {
			a.reporter.Report(progress.Event{Kind: progress.Done, Result: v})
		}
	} else {
		var b strings.Builder
		for _, f := range found {
			damage(&b, f)
		}
		for _, l := range v.Incomplete {
			fmt.Fprintf(&b, "snapshot %s lacks %s since it was made; vault show lists them\n", l.Snapshot, lacking(l.Lacks))
		}
		if len(found) == 0 {
			fmt.Fprintf(&b, "no damage found (%s)\n", v.scope())
		}
		if err := a.print(b.String()); err != nil {
			return err
		}
	}
	if len(found) == 0 {
		return nil
	}
	return failure.New(failure.Unproven, "damage found in %s (%s)", count(len(found), "place"), v.scope())
}

func damage(b *strings.Builder, f repository.Finding) {
	fmt.Fprintf(b, "%s: %s\n", plain(f.Object), plain(f.Problem))
	if len(f.Snapshots) > 0 {
		fmt.Fprintf(b, "  needed by %s\n", strings.Join(f.Snapshots, ", "))
	}
	for i, e := range f.Entries {
		if i == most {
			break
		}
		fmt.Fprintf(b, "  lost: %s\n", plain(e))
	}
	if more := f.Lost - int64(min(len(f.Entries), most)); more > 0 {
		fmt.Fprintf(b, "  and %s more\n", number(more))
	}
}

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
listed with what it held; the exit code is 4 then.`,
		Args: takesSnapshot("REPO"),
	}
	cmd.Flags().StringP("snapshot", "s", "", "only this one: an id, the beginning of one, or latest")
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
		found, err := r.Verify(ctx, want, func(done, total int64) {
			a.reporter.Report(progress.Event{Kind: progress.Moving, Phase: "verify", Bytes: done, TotalBytes: total})
		})
		if err != nil {
			return err
		}
		list, err := r.Snapshots(ctx)
		if err != nil {
			return err
		}
		v := verification{Damage: found, Incomplete: []lacks{}, Snapshots: len(list)}
		v.count(list, want)
		return a.verified(v)
	})
}

// verification is what verify has found.
type verification struct {
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

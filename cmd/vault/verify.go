package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/repository"
)

func newVerify(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify REPO [SNAPSHOT]",
		Short: "Check everything that is stored, and prove that it can be restored",
		Long: `Read everything that is stored, unseal it, and recompute the proof of every table
and file. What is damaged is named with what it held; the exit code is 4 then.`,
		Args: takesSnapshot("REPO"),
	}
	cmd.Flags().StringP("snapshot", "s", "", "only this one: an id, the beginning of one, or latest")
	return repoCommand(a, cmd, func(ctx context.Context, r *repository.Repository, _ []string) error {
		a.reporter.Report(progress.Event{Time: time.Now(), Kind: progress.Phase, Phase: "verify"})
		want := a.choice()
		if want.Snapshot != "" {
			s, err := a.chosen(ctx, r)
			if err != nil {
				return err
			}
			want.Snapshot = s.ID // not a newer one that appears meanwhile
		}
		found, err := r.Verify(ctx, want, func(done, total int64) {
			a.reporter.Report(progress.Event{Time: time.Now(), Kind: progress.Moving, Phase: "verify", Bytes: done, TotalBytes: total})
		})
		if err != nil {
			return err
		}
		lacks, err := incomplete(ctx, r, want)
		if err != nil {
			return err
		}
		return a.verified(verification{found, lacks})
	})
}

// verification is what verify has found.
type verification struct {
	Damage     []repository.Finding `json:"damage"`
	Incomplete []lacks              `json:"incomplete"` // snapshots that lack something since they were made
}

// verified reports what a verification found.
func (a *app) verified(v verification) error {
	found := v.Damage
	if a.flag("json").on {
		if a.result = v; len(found) == 0 {
			a.reporter.Report(progress.Event{Time: time.Now(), Kind: progress.Done, Result: v})
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
			b.WriteString("no damage found: everything in the storage is as it was written\n")
		}
		if err := a.print(b.String()); err != nil {
			return err
		}
	}
	if len(found) == 0 {
		return nil
	}
	return failure.New(failure.Unproven, "%s of damage found; everything else is as it was written", count(len(found), "place"))
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

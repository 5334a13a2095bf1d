package snapshotcmd

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/stage"
)

// NewForget returns the command "forget".
func NewForget(a *cli.App) *cobra.Command {
	var policy repository.Policy
	var within string
	cmd := &cobra.Command{
		Use:   "forget REPO [ID…]",
		Short: "Remove snapshots that are no longer needed",
		Long: `Remove the snapshots that no --keep flag keeps, or those given by ID. Each flag applies
to each site and pipeline separately: --keep-daily 7 keeps the newest snapshot of each
of the last 7 days (UTC) that have one. With several flags, a snapshot is kept if any of
them keeps it. The newest snapshot of a site and pipeline is always kept, unless its ID
is given. Snapshots that can't be read are kept, too.

Removals are recorded, so that vault verify can distinguish them from other deletions.
Removing signed snapshots needs a signing key: that of the sink in the pipeline file, or
--signing-key-file.

Run vault prune to free the space.`,
		Example: "  vault forget /srv/backups --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --dry-run\n" +
			"  vault forget nightly.yaml --keep-within 30d --keep-yearly 10\n" +
			"  vault forget /srv/backups 20260131-020000-1a2b3c4d",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cli.Takes("REPO", "[ID]")(cmd, args)
			}
			keeps := keepFlags(cmd.Flags())
			switch {
			case len(args) > 1 && len(keeps) > 0:
				return failure.New(failure.Usage, "give IDs or --%s, not both", keeps[0])
			case len(args) == 1 && len(keeps) == 0:
				return failure.New(failure.Usage, "nothing to forget; give IDs, or flags such as --keep-daily 7 (see vault forget --help)")
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&policy.Last, "keep-last", 0, "keep the newest N snapshots")
	flags.IntVar(&policy.Daily, "keep-daily", 0, "keep the newest snapshot of each of the last N days that have one")
	flags.IntVar(&policy.Weekly, "keep-weekly", 0, "keep the newest snapshot of each of the last N weeks that have one")
	flags.IntVar(&policy.Monthly, "keep-monthly", 0, "keep the newest snapshot of each of the last N months that have one")
	flags.IntVar(&policy.Yearly, "keep-yearly", 0, "keep the newest snapshot of each of the last N years that have one")
	flags.StringVar(&within, "keep-within", "", "keep snapshots that are at most this much older than the newest (36h, 30d, 8w, 1y)")
	flags.String("signing-key-file", "", "file with the key that signs the removal, created by vault key new")
	flags.Bool("dry-run", false, "only show what would be removed")
	return catalogCommand(a, cmd, func(ctx context.Context, c stage.Catalog, ids []string) error {
		for _, name := range keepFlags(flags) {
			if value := flags.Lookup(name).Value.String(); value == "" || strings.Trim(value, "0") == "" || strings.HasPrefix(value, "-") {
				return failure.New(failure.Usage, "--%s must be at least 1", name)
			}
		}
		if within != "" {
			var err error
			if policy.Within, err = repository.ParseAge(within); err != nil {
				return failure.New(failure.Usage, "--keep-within: %w", err)
			}
		}
		if len(ids) > 0 && a.Want != (stage.Choice{}) {
			return failure.New(failure.Usage, "--site, --pipeline and --tag select snapshots for the --keep flags; omit them with IDs")
		}
		q := stage.RemoveRequest{IDs: ids, Keep: policy, Of: a.Want, DryRun: a.Flag("dry-run").On}
		removed, err := c.Remove(ctx, q)
		if err != nil {
			return err
		}
		return forgotten(a, removed, q.DryRun)
	})
}

// keepFlags returns the --keep flags that are set.
func keepFlags(flags *pflag.FlagSet) []string {
	var given []string
	flags.Visit(func(f *pflag.Flag) {
		if strings.HasPrefix(f.Name, "keep-") {
			given = append(given, f.Name)
		}
	})
	return given
}

// signingKey returns the key of --signing-key-file, or that of the repository's pipeline.
func signingKey(a *cli.App, ctx context.Context, flags *pflag.FlagSet) (manifest.SigningKey, error) {
	if flags.Lookup("signing-key-file") == nil {
		return a.Signing, nil
	}
	path, err := flags.GetString("signing-key-file")
	if err != nil || path == "" {
		return a.Signing, err
	}
	text, err := a.SecretFile(ctx, "signing-key-file", path)
	if err != nil {
		return manifest.SigningKey{}, err
	}
	key, err := manifest.ParseSigningKey(text.Reveal())
	if err != nil {
		return key, failure.New(failure.Usage, "--signing-key-file: %w", err)
	}
	return key, nil
}

// forgottenLine is a snapshot in the JSON output of forget.
type forgottenLine struct {
	ID       string    `json:"id"`
	Start    time.Time `json:"start,omitzero"`
	Pipeline string    `json:"pipeline,omitempty"`
	Site     string    `json:"site,omitempty"`
	Tags     []string  `json:"tags,omitempty"`
	Reasons  []string  `json:"reasons,omitempty"`
	Error    string    `json:"error,omitempty"`
}

func forgetLine(s *stage.Snapshot, reasons []string) forgottenLine {
	return forgottenLine{ID: s.ID, Start: s.Start, Pipeline: s.Pipeline, Site: s.Site, Tags: s.Tags, Reasons: reasons}
}

// forgotten prints the result of forget.
func forgotten(a *cli.App, f *stage.Removed, dry bool) error {
	if a.Flag("json").On {
		doc := struct {
			DryRun  bool            `json:"dry_run"`
			Keep    []forgottenLine `json:"keep"`
			Remove  []forgottenLine `json:"remove"`
			Skipped []forgottenLine `json:"skipped"` // unreadable snapshots, which are kept
		}{dry, []forgottenLine{}, []forgottenLine{}, []forgottenLine{}}
		for _, k := range f.Keep {
			doc.Keep = append(doc.Keep, forgetLine(k.Snapshot, k.Reasons))
		}
		for _, s := range f.Remove {
			doc.Remove = append(doc.Remove, forgetLine(s, nil))
		}
		for _, l := range f.Skipped {
			doc.Skipped = append(doc.Skipped, forgottenLine{ID: l.ID, Error: l.Err.Error()})
		}
		return a.PrintJSON(doc)
	}
	verb := "remove"
	rows := [][]string{{"", "SNAPSHOT", "TAKEN", "PIPELINE", "SITE", "TAGS", "KEPT AS"}}
	line := func(verb string, s *stage.Snapshot, reasons []string) {
		rows = append(rows, []string{verb, s.ID, day(s.Start), cli.Plain(s.Pipeline), cli.Plain(cmp.Or(s.SiteName, s.Site)), cli.Plain(strings.Join(s.Tags, ", ")), strings.Join(reasons, ", ")})
	}
	for _, k := range f.Keep {
		line("keep", k.Snapshot, k.Reasons)
	}
	for _, s := range f.Remove {
		line(verb, s, nil)
	}
	for _, l := range f.Skipped {
		rows = append(rows, []string{"keep", l.ID, "can't be read: " + l.Err.Error()})
	}
	if err := a.Table(rows); err != nil {
		return err
	}
	switch {
	case len(f.Remove) == 0:
		return a.Print("nothing to remove\n")
	case dry:
		return a.Print(fmt.Sprintf("dry run: %s would be removed\n", cli.Count(len(f.Remove), "snapshot")))
	}
	return a.Print(fmt.Sprintf("removed %s; vault prune frees the space\n", cli.Count(len(f.Remove), "snapshot")))
}

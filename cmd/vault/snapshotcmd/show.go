package snapshotcmd

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/stage"
)

// NewShow returns the command "show".
func NewShow(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show REPO [SNAPSHOT]",
		Short: "Show what a snapshot holds: facts, tables, losses",
		Args:  takesSnapshot("REPO"),
	}
	snapshotFlag(cmd)
	log := cmd.Flags().Bool("log", false, "show the log of the run that made the snapshot, and how to restore it")
	var repo string
	catalogCommand(a, cmd, func(ctx context.Context, c stage.Catalog, _ []string) error {
		s, err := chosen(a, ctx, c)
		if err != nil {
			return err
		}
		if *log {
			return showLog(a, s, repo)
		}
		if a.Flag("json").On {
			return showJSON(a, ctx, c, s)
		}
		return show(a, s)
	})
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		repo = args[0]
		return run(cmd, args)
	}
	return cmd
}

// showJSON prints a snapshot's entry in the catalog and values derived from it.
func showJSON(a *cli.App, ctx context.Context, c stage.Catalog, s *stage.Snapshot) error {
	m, ok := c.(stage.Manifester)
	if !ok {
		return a.PrintJSON(s)
	}
	manifest, err := m.Manifest(ctx, s.ID)
	if err != nil {
		return err
	}
	more, err := json.Marshal(struct {
		Partial bool                     `json:"partial"`
		Lacks   map[stage.LossKind]int64 `json:"lacks,omitempty"`
		Signer  string                   `json:"signer,omitempty"`
	}{s.Partial(), s.Lacks, s.Signer})
	if err != nil {
		return err
	}
	return a.PrintJSON(json.RawMessage(slices.Concat(manifest[:len(manifest)-1], []byte(","), more[1:])))
}

func show(a *cli.App, s *stage.Snapshot) error {
	var b strings.Builder
	fmt.Fprintf(&b, "snapshot %s by %s on %s, vault %s\n", s.ID, cli.Plain(s.Pipeline), cli.Plain(s.Host), cli.Plain(s.Version))
	fmt.Fprintf(&b, "taken %s, in %s\n", day(s.Start), s.End.Sub(s.Start).Round(time.Millisecond))
	if len(s.Tags) > 0 {
		fmt.Fprintf(&b, "tags: %s\n", cli.Plain(strings.Join(s.Tags, ", ")))
	}
	t := s.Totals
	fmt.Fprintf(&b, "contents: %s, %s in %s, %s\n", cli.Size(t.Bytes), cli.Count(t.Rows, "row"), cli.Count(len(s.Tables), "table"), cli.Count(t.Files, "file"))
	if s.Selected() {
		fmt.Fprintf(&b, "partial: made with a selection\n")
	}
	if len(s.Lacks) > 0 {
		fmt.Fprintf(&b, "lacks %s\n", Lacking(s.Lacks))
	}
	if s.Signer != "" {
		fmt.Fprintf(&b, "signed by %s\n", s.Signer)
	}
	if o := s.Original; o != nil {
		fmt.Fprintf(&b, "copied from snapshot %s of repository %s\n", o.Snapshot, o.Repository)
	}
	fmt.Fprintf(&b, "new data: %s, stored %s\n", cli.Size(t.New), cli.Size(t.Stored))
	for _, name := range slices.Sorted(maps.Keys(s.Facts)) {
		fmt.Fprintf(&b, "%s: %s\n", cli.Plain(name), cli.Plain(brief(s.Facts[name])))
	}
	cli.Losses(&b, s.Losses)
	cli.Notes(&b, s.Notes)
	if err := a.Print(b.String()); err != nil || len(s.Tables) == 0 {
		return err
	}
	rows := [][]string{{"TABLE", "ROWS", "SIZE", "PROOF"}}
	for _, t := range s.Tables {
		rows = append(rows, []string{cli.Plain(t.Schema.Name), cli.Number(t.Sum.Rows), cli.Size(t.Bytes), t.Sum.String()})
	}
	return a.Table(rows)
}

// maxFact is the maximum length of a fact that show prints in full, in bytes. The list of a
// site's plugins has many thousands.
const maxFact = 200

func brief(fact string) string {
	if len(fact) <= maxFact {
		return fact
	}
	return strings.ToValidUTF8(fact[:maxFact], "") + fmt.Sprintf("… (%s, in full with --json)", cli.Size(int64(len(fact))))
}

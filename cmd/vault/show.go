package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/core/stage"
)

func newShow(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show REPO [SNAPSHOT]",
		Short: "Show what a snapshot holds: facts, tables, losses",
		Args:  takesSnapshot("REPO"),
	}
	snapshotFlag(cmd)
	return catalogCommand(a, cmd, func(ctx context.Context, c stage.Catalog, _ []string) error {
		s, err := a.chosen(ctx, c)
		if err != nil {
			return err
		}
		if a.flag("json").on {
			return a.showJSON(ctx, c, s)
		}
		return a.show(s)
	})
}

// showJSON prints what the catalog keeps of a snapshot, and what follows from it.
func (a *app) showJSON(ctx context.Context, c stage.Catalog, s *stage.Snapshot) error {
	m, ok := c.(stage.Manifester)
	if !ok {
		return a.printJSON(s)
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
	return a.printJSON(json.RawMessage(slices.Concat(manifest[:len(manifest)-1], []byte(","), more[1:])))
}

func (a *app) show(s *stage.Snapshot) error {
	var b strings.Builder
	fmt.Fprintf(&b, "snapshot %s by %s on %s, vault %s\n", s.ID, plain(s.Pipeline), plain(s.Host), plain(s.Version))
	fmt.Fprintf(&b, "taken %s, in %s\n", day(s.Start), s.End.Sub(s.Start).Round(time.Millisecond))
	if len(s.Tags) > 0 {
		fmt.Fprintf(&b, "tags: %s\n", plain(strings.Join(s.Tags, ", ")))
	}
	t := s.Totals
	fmt.Fprintf(&b, "holds %s: %s in %s, %s\n", size(t.Bytes), count(t.Rows, "row"), count(len(s.Tables), "table"), count(t.Files, "file"))
	if s.Selected() {
		fmt.Fprintf(&b, "partial: made with a selection\n")
	}
	if len(s.Lacks) > 0 {
		fmt.Fprintf(&b, "lacks %s\n", lacking(s.Lacks))
	}
	if s.Signer != "" {
		fmt.Fprintf(&b, "signed by %s\n", s.Signer)
	}
	if o := s.Original; o != nil {
		fmt.Fprintf(&b, "copied from snapshot %s of repository %s\n", o.Snapshot, o.Repository)
	}
	fmt.Fprintf(&b, "new were %s, which took %s\n", size(t.New), size(t.Stored))
	for _, name := range slices.Sorted(maps.Keys(s.Facts)) {
		fmt.Fprintf(&b, "%s: %s\n", plain(name), plain(s.Facts[name]))
	}
	losses(&b, s.Losses)
	notes(&b, s.Notes)
	if err := a.print(b.String()); err != nil || len(s.Tables) == 0 {
		return err
	}
	rows := [][]string{{"TABLE", "ROWS", "SIZE", "PROOF"}}
	for _, t := range s.Tables {
		rows = append(rows, []string{plain(t.Schema.Name), number(t.Sum.Rows), size(t.Bytes), t.Sum.String()})
	}
	return a.table(rows)
}

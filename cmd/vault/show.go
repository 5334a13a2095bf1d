package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/stage"
)

func newShow(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show REPO [SNAPSHOT]",
		Short: "Show what a snapshot holds: facts, tables, losses",
		Args:  takesSnapshot("REPO"),
	}
	snapshotFlag(cmd)
	return repoCommand(a, cmd, func(ctx context.Context, r *repository.Repository, _ []string) error {
		s, err := a.chosen(ctx, r)
		if err != nil {
			return err
		}
		if a.flag("json").on {
			return a.printJSON(struct {
				*repository.Snapshot
				Lacks  map[stage.LossKind]int64 `json:"lacks,omitempty"`
				Signer string                   `json:"signer,omitempty"`
			}{s, s.Lacks(), signer(s)})
		}
		return a.show(s)
	})
}

// signer is the public key of who has signed a snapshot; "" for nobody.
func signer(s *repository.Snapshot) string {
	if by, ok := s.Signer(); ok {
		return by.String()
	}
	return ""
}

func (a *app) show(s *repository.Snapshot) error {
	var b strings.Builder
	fmt.Fprintf(&b, "snapshot %s by %s on %s, vault %s\n", s.ID, plain(s.Pipeline), plain(s.Host), plain(s.Version))
	fmt.Fprintf(&b, "taken %s, in %s\n", day(s.Start), s.End.Sub(s.Start).Round(time.Millisecond))
	if len(s.Tags) > 0 {
		fmt.Fprintf(&b, "tags: %s\n", plain(strings.Join(s.Tags, ", ")))
	}
	t := s.Totals
	fmt.Fprintf(&b, "holds %s: %s in %s, %s\n", size(t.Bytes), count(t.Rows, "row"), count(len(s.Tables), "table"), count(t.Files, "file"))
	if lacks := s.Lacks(); len(lacks) > 0 {
		fmt.Fprintf(&b, "lacks %s\n", lacking(lacks))
	}
	if by := signer(s); by != "" {
		fmt.Fprintf(&b, "signed by %s\n", by)
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
		rows = append(rows, []string{plain(t.Schema.Name), number(t.Proof.Rows), size(t.Bytes), t.Proof.String()})
	}
	return a.table(rows)
}

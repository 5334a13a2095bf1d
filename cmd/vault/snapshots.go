package main

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/core/stage"
)

func newSnapshots(a *app) *cobra.Command {
	return catalogCommand(a, &cobra.Command{
		Use:   "snapshots REPO",
		Short: "List the snapshots of a repository",
		Args:  takes("REPO"),
	}, func(ctx context.Context, c stage.Catalog, _ []string) error {
		list, err := c.List(ctx, a.want)
		if err != nil {
			return err
		}
		slices.Reverse(list) // the newest is the last line
		if a.flag("json").on {
			return a.printJSON(listed(list))
		}
		rows := [][]string{{"SNAPSHOT", "TAKEN", "PIPELINE", "SITE", "TAGS", "HOST", "ROWS", "FILES", "SIZE", "STORED", "LACKS"}}
		for _, l := range list {
			if s := l.Snapshot; s != nil {
				rows = append(rows, []string{l.ID, day(s.Start), plain(s.Pipeline), plain(cmp.Or(s.SiteName, s.Site)), plain(strings.Join(s.Tags, ", ")), plain(s.Host), number(s.Totals.Rows), number(s.Totals.Files), size(s.Totals.Bytes), size(s.Totals.Stored), missing(s)})
			} else {
				rows = append(rows, []string{l.ID, "can't be read: " + l.Err.Error()})
			}
		}
		return a.table(rows)
	})
}

// snapshotLine is a snapshot in a list for machines.
type snapshotLine struct {
	ID       string        `json:"id"`
	Error    string        `json:"error,omitempty"`
	Start    time.Time     `json:"start,omitzero"`
	End      time.Time     `json:"end,omitzero"`
	Pipeline string        `json:"pipeline,omitempty"`
	Site     string        `json:"site,omitempty"` // its identifier
	SiteName string        `json:"site_name,omitempty"`
	Host     string        `json:"host,omitempty"`
	Signer   string        `json:"signer,omitempty"` // the public key of who signed it
	Tags     []string      `json:"tags,omitempty"`
	Totals   *stage.Totals `json:"totals,omitempty"`
	Partial  bool          `json:"partial,omitempty"` // made with a selection or with losses
	// Lacks counts what the site had and the snapshot doesn't, by kind of loss.
	Lacks map[stage.LossKind]int64 `json:"lacks,omitempty"`
}

func listed(list []stage.Listed) []snapshotLine {
	lines := []snapshotLine{}
	for _, l := range list {
		line := snapshotLine{ID: l.ID}
		if s := l.Snapshot; s != nil {
			line.Start, line.End, line.Pipeline, line.Host, line.Totals, line.Lacks, line.Site, line.SiteName, line.Signer, line.Tags = s.Start, s.End, s.Pipeline, s.Host, &s.Totals, s.Lacks, s.Site, s.SiteName, s.Signer, s.Tags
			line.Partial = s.Partial()
		} else {
			line.Error = l.Err.Error()
		}
		lines = append(lines, line)
	}
	return lines
}

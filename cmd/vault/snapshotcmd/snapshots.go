package snapshotcmd

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/stage"
)

// NewSnapshots returns the command "snapshots".
func NewSnapshots(a *cli.App) *cobra.Command {
	return catalogCommand(a, &cobra.Command{
		Use:   "snapshots REPO",
		Short: "List the snapshots of a repository",
		Args:  cli.Takes("REPO"),
	}, func(ctx context.Context, c stage.Catalog, _ []string) error {
		list, err := c.List(ctx, a.Want)
		if err != nil {
			return err
		}
		slices.Reverse(list) // the newest is the last line
		if a.Flag("json").On {
			return a.PrintJSON(listed(list))
		}
		rows := [][]string{{"SNAPSHOT", "TAKEN", "PIPELINE", "SITE", "TAGS", "HOST", "ROWS", "FILES", "SIZE", "STORED", "LACKS"}}
		for _, l := range list {
			if s := l.Snapshot; s != nil {
				rows = append(rows, []string{l.ID, day(s.Start), cli.Plain(s.Pipeline), cli.Plain(cmp.Or(s.SiteName, s.Site)), cli.Plain(strings.Join(s.Tags, ", ")), cli.Plain(s.Host), cli.Number(s.Totals.Rows), cli.Number(s.Totals.Files), cli.Size(s.Totals.Bytes), cli.Size(s.Totals.Stored), missing(s)})
			} else {
				rows = append(rows, []string{l.ID, "can't be read: " + l.Err.Error()})
			}
		}
		return a.Table(rows)
	})
}

// snapshotLine is a snapshot in the JSON output of snapshots.
type snapshotLine struct {
	ID       string        `json:"id"`
	Error    string        `json:"error,omitempty"`
	Start    time.Time     `json:"start,omitzero"`
	End      time.Time     `json:"end,omitzero"`
	Pipeline string        `json:"pipeline,omitempty"`
	Site     string        `json:"site,omitempty"` // its identifier
	SiteName string        `json:"site_name,omitempty"`
	Host     string        `json:"host,omitempty"`
	Signer   string        `json:"signer,omitempty"` // the public key of the signer
	Tags     []string      `json:"tags,omitempty"`
	Totals   *stage.Totals `json:"totals,omitempty"`
	Partial  bool          `json:"partial,omitempty"` // made with a selection or with losses
	// Lacks counts the items of the site that are missing from the snapshot, by kind of
	// loss.
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

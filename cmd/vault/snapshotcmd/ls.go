package snapshotcmd

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// NewLs returns the command "ls".
func NewLs(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ls REPO [SNAPSHOT] [PATH]",
		Short: "List the entries of a snapshot",
		Long: `List the entries of a snapshot: all of them, or PATH and everything below it.

` + quotingHelp + `

With --json, path_quoted and target_quoted have this form if JSON can't represent the
name exactly; vault cat accepts it, too. A time outside the years 0 to 9999 is in unix.`,
		Example: "  vault ls /srv/backups\n  vault ls /srv/backups 20260101 dataroot/lang",
		Args:    takesSnapshot("REPO", "[PATH]"),
	}
	snapshotFlag(cmd)
	return browserCommand(a, cmd, func(ctx context.Context, c stage.Browser, args []string) error {
		s, err := chosen(a, ctx, c)
		if err != nil {
			return err
		}
		below := ""
		if len(args) > 0 {
			if below, err = unquoted(args[0]); err != nil {
				return err
			}
			below = strings.TrimSuffix(below, "/")
		}
		return list(a, ctx, c, s, below)
	})
}

// Line is an entry in the output of ls.
type Line struct {
	Path   string     `json:"path"`
	Kind   stage.Kind `json:"kind"`
	Size   int64      `json:"size"`
	Rows   int64      `json:"rows,omitempty"`
	Mode   string     `json:"mode,omitempty"`
	UID    *uint32    `json:"uid,omitempty"` // nil if the owner is not known
	GID    *uint32    `json:"gid,omitempty"`
	Time   time.Time  `json:"time,omitzero"`
	Target string     `json:"target,omitempty"`
	SHA1   string     `json:"sha1,omitempty"`
	SHA256 string     `json:"sha256,omitempty"`

	PathQuoted   string `json:"path_quoted,omitempty"`   // see quoted; for paths that JSON cannot represent
	TargetQuoted string `json:"target_quoted,omitempty"` // likewise
	Unix         *int64 `json:"unix,omitempty"`          // seconds, for times that JSON cannot represent
}

// exact sets the fields that only JSON has.
func (l Line) exact() Line {
	l.PathQuoted, l.TargetQuoted = inexact(l.Path), inexact(l.Target)
	if year := l.Time.UTC().Year(); year < 0 || year > 9999 {
		seconds := l.Time.Unix()
		l.Time, l.Unix = time.Time{}, &seconds
	}
	return l
}

func list(a *cli.App, ctx context.Context, c stage.Browser, s *stage.Snapshot, below string) error {
	out := bufio.NewWriter(a.Out)
	asJSON := a.Flag("json").On
	found := below == ""
	print := func(l Line) error {
		if below != "" && l.Path != below && !strings.HasPrefix(l.Path, below+"/") {
			return nil
		}
		found = true
		if asJSON {
			text, err := json.Marshal(l.exact())
			if err != nil {
				return err
			}
			_, err = out.Write(append(text, '\n'))
			return err
		}
		_, err := fmt.Fprintln(out, l.text())
		return err
	}
	for _, t := range s.Tables {
		if err := print(Line{Path: stage.DB + "/" + t.Schema.Name, Kind: stage.Table, Size: t.Bytes, Rows: t.Sum.Rows}); err != nil {
			return err
		}
	}
	err := c.Entries(ctx, s.ID, func(e stage.StoredEntry) error {
		l := Line{
			Path: e.Path, Kind: e.Kind, Size: e.Bytes, Mode: mode(e.Mode), Time: e.ModTime, Target: e.Target,
			SHA1: e.Digest.SHA1, SHA256: e.Digest.SHA256,
		}
		if o := e.Owner; o.Known {
			l.UID, l.GID = &o.UID, &o.GID
		}
		return print(l)
	})
	if err != nil {
		return err
	}
	if !found {
		return failure.New(failure.Usage, "snapshot %s has no entry %q; vault ls without PATH lists all entries", s.ID, below)
	}
	return out.Flush()
}

// text returns the line for people.
func (l Line) text() string {
	path := quoted(l.Path)
	if l.Target != "" {
		path += " -> " + quoted(l.Target)
	}
	when := ""
	if !l.Time.IsZero() {
		when = day(l.Time)
	}
	return fmt.Sprintf("%-8s %4s %12d %20s  %s", l.Kind, l.Mode, l.Size, when, path)
}

// mode formats permissions in octal, as for chmod.
func mode(bits uint32) string {
	if bits == 0 {
		return ""
	}
	return fmt.Sprintf("%04o", bits)
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/stage"
)

func newLs(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "ls REPO [SNAPSHOT] [PATH]",
		Short:   "List the entries of a snapshot",
		Example: "  vault ls /srv/backups\n  vault ls /srv/backups 20260101 dataroot/lang",
		Args:    takesSnapshot("REPO", "[PATH]"),
	}
	snapshotFlag(cmd)
	return repoCommand(a, cmd, func(ctx context.Context, r *repository.Repository, args []string) error {
		s, err := r.Load(ctx, a.choice())
		if err != nil {
			return err
		}
		below := ""
		if len(args) > 0 {
			below = strings.TrimSuffix(args[0], "/")
		}
		return a.list(ctx, r, s, below)
	})
}

// line is an entry as it is listed.
type line struct {
	Path   string     `json:"path"`
	Kind   stage.Kind `json:"kind"`
	Size   int64      `json:"size"`
	Rows   int64      `json:"rows,omitempty"`
	Mode   string     `json:"mode,omitempty"`
	Time   time.Time  `json:"time,omitzero"`
	Target string     `json:"target,omitempty"`
	SHA1   string     `json:"sha1,omitempty"`
	SHA256 string     `json:"sha256,omitempty"`
}

func (a *app) list(ctx context.Context, r *repository.Repository, s *repository.Snapshot, below string) error {
	out := bufio.NewWriter(a.out)
	asJSON, terminal := a.flag("json").on, term.IsTerminal(int(a.out.Fd()))
	found := below == ""
	print := func(l line) error {
		if below != "" && l.Path != below && !strings.HasPrefix(l.Path, below+"/") {
			return nil
		}
		found = true
		if asJSON {
			text, err := json.Marshal(l)
			if err != nil {
				return err
			}
			_, err = out.Write(append(text, '\n'))
			return err
		}
		_, err := fmt.Fprintln(out, l.text(terminal))
		return err
	}
	for _, t := range s.Tables {
		if err := print(line{Path: stage.DB + "/" + t.Schema.Name, Kind: stage.Table, Size: t.Bytes, Rows: t.Proof.Rows}); err != nil {
			return err
		}
	}
	err := r.Entries(ctx, s, func(_ *repository.Unit, it *repository.Item) error {
		if it.Kind == stage.Table { // once for each unit; listed above
			return nil
		}
		return print(line{
			Path: it.Path, Kind: it.Kind, Size: it.Bytes(), Mode: mode(it.Mode), Time: it.ModTime, Target: it.Target,
			SHA1: it.Digest.SHA1, SHA256: it.Digest.SHA256,
		})
	})
	if err != nil {
		return err
	}
	if !found {
		return failure.New(failure.Failed, "snapshot %s holds nothing at %q; vault ls without PATH lists all", s.ID, below)
	}
	return out.Flush()
}

// text is the line for people; bytes that a terminal would act on are replaced there.
func (l line) text(terminal bool) string {
	path, target := l.Path, l.Target
	if terminal {
		path, target = plain(path), plain(target)
	}
	if target != "" {
		path += " -> " + target
	}
	when := ""
	if !l.Time.IsZero() {
		when = day(l.Time)
	}
	return fmt.Sprintf("%-8s %4s %12d %20s  %s", l.Kind, l.Mode, l.Size, when, path)
}

// mode is the octal form, as chmod takes it.
func mode(bits uint32) string {
	if bits == 0 {
		return ""
	}
	return fmt.Sprintf("%04o", bits)
}

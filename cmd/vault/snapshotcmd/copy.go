package snapshotcmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/engine"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/stage"
)

// NewCopy returns the command "copy".
func NewCopy(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "copy FROM TO [SNAPSHOT…]",
		Short: "Copy snapshots to another repository",
		Long: `Copy snapshots from one repository to another, which may have a different key. The site
is not read. Data that TO already has is not stored again, and snapshots that were
copied before are skipped, so the same command can run every night.

Content is decrypted, checked against its hashes, encrypted with TO's key, and read back
before the copy becomes a snapshot. A copy keeps its ID, time, site, pipeline, tags and
losses, records its original, and is signed with TO's signing key. A snapshot that vault
forget has removed from TO is copied again only if its ID is given.

FROM is a directory, or a pipeline file (.yaml) with one storage. TO is a directory whose
repository has a key that the passphrase opens, or a pipeline file that backs up to it;
then the compress and encrypt steps of the file are used.`,
		Example: "  vault copy /srv/backups offsite.yaml --all\n" +
			"  vault copy nightly.yaml /mnt/usb/backups latest --from-passphrase-file old --passphrase-file new\n" +
			"  vault copy /srv/backups offsite.yaml --pipeline nightly --tag monthly --dry-run",
		Args: copyArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return copySnapshots(a, cmd, args[0], args[1], args[2:])
		},
	}
	flags := cmd.Flags()
	flags.String("from-passphrase-file", "", "file or pipe with the passphrase of FROM (default LMSVAULT_FROM_PASSPHRASE; asked for on a terminal)")
	flags.String("from-identity-file", "", "file or pipe with an age identity of one of the recipients of FROM")
	flags.String("passphrase-file", "", "file or pipe with the passphrase of TO, if that is a directory (default LMSVAULT_PASSPHRASE; asked for on a terminal)")
	flags.String("signing-key-file", "", "file with the key that signs the copies, instead of the signing_key of TO's pipeline file")
	flags.StringSlice("signer", nil, "copy only snapshots of FROM that are signed with this public key (vault-signer-…); may be repeated")
	flags.Bool("all", false, "copy all snapshots")
	flags.String("site", "", "copy the snapshots of this site (identifier or name)")
	flags.String("pipeline", "", "copy the snapshots of this pipeline")
	flags.StringSlice("tag", nil, "copy the snapshots with this tag; if repeated, those with all tags")
	flags.Bool("dry-run", false, "only show what would be copied")
	cli.PipelineFlags(cmd, false)
	return cmd
}

// copyArgs checks that the snapshots to copy are selected in one way only.
func copyArgs(cmd *cobra.Command, args []string) error {
	if len(args) < 2 {
		return cli.Takes("FROM", "TO")(cmd, args)
	}
	flags := cmd.Flags()
	all, filtered := flags.Changed("all"), flags.Changed("site") || flags.Changed("pipeline") || flags.Changed("tag")
	switch {
	case len(args) > 2 && (all || filtered):
		return failure.New(failure.Usage, "give snapshots, --all, or --site, --pipeline and --tag; not both")
	case all && filtered:
		return failure.New(failure.Usage, "--all copies all snapshots; omit it or --site, --pipeline and --tag")
	case len(args) == 2 && !all && !filtered:
		return failure.New(failure.Usage, "no snapshots selected; give latest or IDs after TO, --all, or --site, --pipeline and --tag")
	}
	for _, arg := range args[2:] {
		if !snapshotWord.MatchString(arg) {
			return failure.New(failure.Usage, "no snapshot %q; IDs look like 20260131-020000-1a2b3c4d, and vault snapshots lists them", arg)
		}
	}
	return nil
}

func copySnapshots(a *cli.App, cmd *cobra.Command, from, to string, ids []string) (err error) {
	ctx := cmd.Context()
	a.Document.Store(true)
	q := repository.CopyRequest{IDs: ids, DryRun: a.Flag("dry-run").On}
	if q.Want, err = choice(cmd.Flags()); err != nil {
		return err
	}
	signers, err := trusted(cmd.Flags())
	if err != nil {
		return err
	}
	at, err := locate(a, cmd, from, cli.KeysOfFrom)
	if err != nil {
		return err
	}
	if len(signers) > 0 {
		at.signers = signers
	}
	there, err := destination(a, cmd, to)
	if err != nil {
		return fmt.Errorf("repository %s: %w", to, err)
	}
	r, err := open(a, ctx, at, cli.KeysOfFrom)
	if err != nil {
		return errors.Join(fmt.Errorf("repository %s: %w", from, err), there.Storage.Close(context.WithoutCancel(ctx)))
	}
	defer func() { err = errors.Join(err, r.Close(context.WithoutCancel(ctx))) }()
	asJSON := a.Flag("json").On
	q.Report = func(done, total int64) {
		if !asJSON {
			a.Reporter.Report(progress.Event{Kind: progress.Moving, Phase: "copy", Bytes: done, TotalBytes: total})
		}
	}
	c, err := r.Copy(ctx, there, q)
	if c != nil {
		err = errors.Join(err, copied(a, c, q.DryRun, err == nil))
	}
	if errors.Is(err, repository.ErrNoRepository) {
		return fmt.Errorf("%w\nto create a new one: vault init-repository %s", err, to)
	}
	return err
}

// destination opens the storage to copy to and determines how to write there.
func destination(a *cli.App, cmd *cobra.Command, path string) (d repository.Destination, err error) {
	ctx := cmd.Context()
	env, err := env(a)
	if err != nil {
		return d, err
	}
	if isPipelineFile(path) {
		if cmd.Flags().Changed("passphrase-file") {
			return d, failure.New(failure.Usage, "--passphrase-file is for a directory; the encrypt step of the pipeline file has the keys")
		}
		p, err := a.Load(cmd, path, pipeline.Options{Creating: true})
		if err != nil {
			return d, err
		}
		if d, err = engine.Destination(ctx, p, env); err != nil {
			return d, err
		}
	} else {
		at, err := locate(a, cmd, path, cli.KeysOfTo)
		if err != nil {
			return d, err
		}
		chain, err := chain(a, ctx, at, env, cli.KeysOfTo)
		if err != nil {
			return d, err
		}
		d.Chain = &chain
		if d.Storage, err = at.stage.NewStorage(ctx, at.config, env); err != nil {
			return d, err
		}
	}
	a.Signing = d.Config.SigningKey
	if d.Config.SigningKey, err = signingKey(a, ctx, cmd.Flags()); err != nil {
		return d, errors.Join(err, d.Storage.Close(ctx))
	}
	return d, nil
}

// CopyLine is a snapshot in the JSON output of copy.
type CopyLine struct {
	ID       string        `json:"id"`
	Copy     string        `json:"copy,omitempty"` // the ID of the copy
	Start    time.Time     `json:"start,omitzero"`
	Pipeline string        `json:"pipeline,omitempty"`
	Site     string        `json:"site,omitempty"`
	Tags     []string      `json:"tags,omitempty"`
	Totals   *stage.Totals `json:"totals,omitempty"` // of the copy
	Error    string        `json:"error,omitempty"`
}

func copyLines(list []repository.Copied) []CopyLine {
	lines := []CopyLine{}
	for _, c := range list {
		l := CopyLine{ID: c.Snapshot.ID, Copy: c.ID, Start: c.Snapshot.Start, Pipeline: c.Snapshot.Pipeline, Site: repository.Site(c.Snapshot).ID, Tags: c.Snapshot.Tags}
		if c.Totals != (stage.Totals{}) {
			l.Totals = &c.Totals
		}
		lines = append(lines, l)
	}
	return lines
}

// copied prints the result of copy.
func copied(a *cli.App, c *repository.Copying, dry, well bool) error {
	if a.Flag("json").On {
		doc := struct {
			DryRun  bool         `json:"dry_run"`
			Copied  []CopyLine   `json:"copied"`
			There   []CopyLine   `json:"there"`   // copied before
			Removed []CopyLine   `json:"removed"` // copied before, and removed from there since
			Failed  []CopyLine   `json:"failed"`  // not copied
			Notes   []stage.Note `json:"notes,omitempty"`
		}{dry, copyLines(c.Copy), copyLines(c.There), []CopyLine{}, []CopyLine{}, c.Notes}
		for _, s := range c.Removed {
			doc.Removed = append(doc.Removed, copyLines([]repository.Copied{{Snapshot: s}})...)
		}
		for _, l := range c.Failed {
			doc.Failed = append(doc.Failed, CopyLine{ID: l.ID, Error: l.Err.Error()})
		}
		if !well { // the error event contains it
			a.Result = doc
			return nil
		}
		return a.PrintJSON(doc)
	}
	rows := [][]string{{"", "SNAPSHOT", "TAKEN", "PIPELINE", "SITE", "TAGS", "SIZE", "STORED"}}
	line := func(verb string, s *manifest.Snapshot, stored string) {
		rows = append(rows, []string{verb, s.ID, day(s.Start), cli.Plain(s.Pipeline), cli.Plain(cmp.Or(repository.Site(s).Name, repository.Site(s).ID)), cli.Plain(strings.Join(s.Tags, ", ")), cli.Size(s.Totals.Bytes), stored})
	}
	for _, s := range c.There {
		line("there", s.Snapshot, "")
	}
	for _, s := range c.Removed {
		line("removed there", s, "")
	}
	for _, s := range c.Copy {
		if dry {
			line("copy", s.Snapshot, "")
			continue
		}
		verb := "copied"
		if s.ID != s.Snapshot.ID {
			verb += " as " + s.ID
		}
		line(verb, s.Snapshot, cli.Size(s.Totals.Stored))
	}
	for _, l := range c.Failed {
		rows = append(rows, []string{"NOT COPIED", l.ID, cli.Plain(l.Err.Error())})
	}
	if err := a.Table(rows); err != nil {
		return err
	}
	var b strings.Builder
	cli.Notes(&b, c.Notes)
	switch n := len(c.Copy); {
	case dry:
		fmt.Fprintf(&b, "dry run: %s would be copied\n", cli.Count(n, "snapshot"))
	case n == 0 && well:
		fmt.Fprintf(&b, "nothing to copy\n")
	case n > 0:
		fmt.Fprintf(&b, "copied and verified %s\n", cli.Count(n, "snapshot"))
	}
	return a.Print(b.String())
}

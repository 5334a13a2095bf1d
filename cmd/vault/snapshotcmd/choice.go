package snapshotcmd

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/stage"
)

// snapshotFlag adds the flag --snapshot to cmd.
func snapshotFlag(cmd *cobra.Command) {
	cmd.Flags().StringP("snapshot", "s", stage.Latest, "snapshot ID, the beginning of one, or latest; may also be given after REPO")
}

// choice returns the selection of snapshots on the command line.
func choice(flags *pflag.FlagSet) (c stage.Choice, err error) {
	for _, name := range cli.FlagsOnly() { // most likely an unset variable, which would select nothing
		if f := flags.Lookup(name); f != nil && f.Changed && strings.Trim(f.Value.String(), "[]\"") == "" {
			return c, failure.New(failure.Usage, "--%s is empty", name)
		}
	}
	if flags.Lookup("snapshot") != nil {
		if c.Snapshot, err = flags.GetString("snapshot"); err != nil {
			return c, err
		}
	}
	if c.Site, err = flags.GetString("site"); err != nil {
		return c, err
	}
	if c.Pipeline, err = flags.GetString("pipeline"); err != nil {
		return c, err
	}
	tags, err := flags.GetStringSlice("tag")
	c.Tags = strings.Join(tags, ",")
	return c, err
}

// trusted returns the public keys of --signer.
func trusted(flags *pflag.FlagSet) (signers []manifest.Signer, err error) {
	texts, err := flags.GetStringSlice("signer")
	if err != nil {
		return nil, err
	}
	for _, text := range texts {
		s, err := manifest.ParseSigner(text)
		if err != nil {
			return nil, failure.New(failure.Usage, "--signer: %w", err)
		}
		signers = append(signers, s)
	}
	return signers, nil
}

// chosen loads the snapshot selected on the command line. It warns if "latest" skipped
// newer ones.
func chosen(a *cli.App, ctx context.Context, c stage.Catalog) (*stage.Snapshot, error) {
	s, err := c.Describe(ctx, a.Want)
	if err != nil {
		return nil, err
	}
	if n := s.Skipped; n != nil {
		a.Warning(n.Path, n.Text)
	}
	return s, nil
}

// snapshotWord matches "latest", IDs of snapshots and their prefixes. It matches no path
// of an entry, because those begin with the name of a part.
var snapshotWord = regexp.MustCompile(`^(latest|[0-9]{4,8}(-[0-9]{0,6}(-[0-9a-f]{0,8})?)?)$`)

// pickSnapshot removes the snapshot that follows REPO from a command's arguments. It
// returns "" if there is none.
func pickSnapshot(args []string) (snapshot string, rest []string) {
	if len(args) < 2 || !snapshotWord.MatchString(args[1]) {
		return "", args
	}
	return args[1], slices.Delete(slices.Clone(args), 1, 2)
}

// takesSnapshot is like cli.Takes, for commands that accept a snapshot after REPO.
func takesSnapshot(names ...string) cobra.PositionalArgs {
	check := cli.Takes(names...)
	return func(cmd *cobra.Command, args []string) error {
		snapshot, rest := pickSnapshot(args)
		if snapshot != "" && cmd.Flags().Changed("snapshot") {
			return failure.New(failure.Usage, "the snapshot is given twice: as %q and by --snapshot", snapshot)
		}
		if snapshot == "" && len(rest) > len(names) && !strings.Contains(rest[1], "/") {
			return failure.New(failure.Usage, "no snapshot %s; IDs look like 20260131-020000-1a2b3c4d, and vault snapshots lists them", strconv.Quote(rest[1]))
		}
		return check(cmd, rest)
	}
}

package main

import (
	"context"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository"
)

// snapshotFlag adds --snapshot.
func snapshotFlag(cmd *cobra.Command) {
	cmd.Flags().StringP("snapshot", "s", repository.Latest, "which snapshot: an id, the beginning of one, or latest; or as an argument after REPO")
}

// choice is the snapshot that the command line names.
func (a *app) choice() repository.Choice {
	return repository.Choice{Snapshot: a.settings.GetString("snapshot"), Site: a.settings.GetString("site"), Pipeline: a.settings.GetString("pipeline")}
}

// chosen loads the snapshot that the command line names, and warns where latest
// skipped newer ones.
func (a *app) chosen(ctx context.Context, r *repository.Repository) (*repository.Snapshot, error) {
	s, err := r.Load(ctx, a.choice())
	if err != nil {
		return nil, err
	}
	if n, ok := s.Skipped(); ok {
		a.warning(n.Path, n.Text)
	}
	return s, nil
}

// snapshotWord is what can be an id of a snapshot, or the beginning of one, and no
// path of an entry: those begin with the name of a part.
var snapshotWord = regexp.MustCompile(`^(latest|[0-9]{4,8}(-[0-9]{0,6}(-[0-9a-f]{0,8})?)?)$`)

// pickSnapshot takes the snapshot that follows REPO out of a command's arguments;
// "" if none does.
func pickSnapshot(args []string) (snapshot string, rest []string) {
	if len(args) < 2 || !snapshotWord.MatchString(args[1]) {
		return "", args
	}
	return args[1], slices.Delete(slices.Clone(args), 1, 2)
}

// takesSnapshot is takes for commands whose REPO a snapshot may follow.
func takesSnapshot(names ...string) cobra.PositionalArgs {
	check := takes(names...)
	return func(cmd *cobra.Command, args []string) error {
		snapshot, rest := pickSnapshot(args)
		if snapshot != "" && cmd.Flags().Changed("snapshot") {
			return failure.New(failure.Usage, "the snapshot is given twice: as %q and by --snapshot", snapshot)
		}
		return check(cmd, rest)
	}
}

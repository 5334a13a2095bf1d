package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lmsvault/vault/core/failure"
)

// habits maps commands of other backup tools to their equivalents in vault.
var habits = map[string]string{
	"backup":  "a backup is a pipeline: vault run FILE.yaml; pipelines/backup-local.yaml is one",
	"dump":    "a backup is a pipeline: vault run FILE.yaml; pipelines/backup-local.yaml is one",
	"restore": "a restore is a pipeline: vault run FILE.yaml; pipelines/restore-local.yaml is one",
	"migrate": "a migration is a pipeline: vault run FILE.yaml; pipelines/migrate-mysql-to-postgres.yaml is one",
	"list":    "vault snapshots REPO lists snapshots, vault ls REPO the entries of one",
	"mount":   "vault ls REPO lists the entries of a snapshot, vault cat REPO PATH prints one",
	"dry-run": "vault run FILE.yaml --dry-run",
}

// FlagError replaces the parser's error with one that describes the valid values.
func FlagError(err error) error {
	invalid := new(pflag.InvalidValueError)
	if !errors.As(err, &invalid) {
		return err
	}
	takes, ok := map[string]string{"bool": "true or false", "int": "a whole number", "duration": "a duration such as 36h"}[invalid.GetFlag().Value.Type()]
	if !ok {
		return err
	}
	return failure.New(failure.Usage, "--%s takes %s, not %q", invalid.GetFlag().Name, takes, invalid.GetValue())
}

// NoCommand returns an error for an unknown command that suggests a similar one.
func NoCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	meant := habits[args[0]]
	if near := cmd.SuggestionsFor(args[0]); meant == "" && len(near) > 0 {
		meant = "did you mean vault " + strings.Join(near, " or vault ") + "?"
	}
	if meant == "" {
		meant = "vault --help shows the commands"
	}
	return failure.New(failure.Usage, "unknown command %q; %s", args[0], meant)
}

// Takes returns a check of the number of arguments whose error names the missing ones.
func Takes(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		least := 0
		for _, n := range names {
			if !strings.HasPrefix(n, "[") {
				least++
			}
		}
		switch {
		case len(args) < least:
			return fmt.Errorf("%s needs %s; usage: %s", cmd.CommandPath(), names[len(args)], cmd.UseLine())
		case len(args) > len(names):
			return fmt.Errorf("%s takes no argument %q; usage: %s", cmd.CommandPath(), args[len(names)], cmd.UseLine())
		}
		return nil
	}
}

package main

import (
	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/cmd/vault/democmd"
	"github.com/lmsvault/vault/cmd/vault/initcmd"
	"github.com/lmsvault/vault/cmd/vault/moodlecmd"
	"github.com/lmsvault/vault/cmd/vault/plugincmd"
	"github.com/lmsvault/vault/cmd/vault/runcmd"
	"github.com/lmsvault/vault/cmd/vault/snapshotcmd"
	"github.com/lmsvault/vault/cmd/vault/stagecmd"
)

//go:generate go run . stages --markdown ../../docs/stages
//go:generate go run . check --markdown ../../docs/checks.md

// newRoot returns the command vault with all its subcommands.
func newRoot(a *cli.App) *cobra.Command {
	root := &cobra.Command{
		Use:   "vault",
		Short: "Back up, restore and migrate Moodle sites, and verify the result",
		Long: `Vault backs up, restores and migrates Moodle sites: database, files and data root.
Pipeline files declare what to do; every run verifies its result.

Exit codes: 0 success, 1 failure, 2 wrong usage or pipeline file, 3 refused by a
check before anything was changed, 4 verification failed or more was lost than
accepted, 5 an action after a successful run failed, 130 interrupted.

Flags override environment variables (LMSVAULT_WORKERS for --workers), which
override the configuration file, which overrides the defaults.`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		Version:           cli.Version(),
		Args:              cli.NoCommand,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.Setup(cmd) },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return cli.FlagError(err) })
	root.SetVersionTemplate("vault {{.Version}}\n")
	flags := root.PersistentFlags()
	flags.Bool("json", false, "print JSON for machines; a run prints JSON Lines, one event per line")
	flags.BoolP("quiet", "q", false, "show errors and results only")
	flags.String("log-file", "", "append all events to this file, as JSON Lines")
	flags.BoolP("verbose", "v", false, "also log the settings, the stages and each finished unit of work")
	flags.Bool("no-color", false, "no colours (also: environment NO_COLOR)")
	flags.Bool("isolate", false, "run every built-in stage in its own process, whatever the pipeline says")
	flags.String("config", "", "file with the tool's settings (default lmsvault/config.yaml in the user's configuration directory)")
	root.AddCommand(
		initcmd.New(a), snapshotcmd.NewInitRepository(a), runcmd.NewRun(a), runcmd.NewRecover(a), runcmd.NewPlan(a), runcmd.NewCheck(a), runcmd.NewLint(a),
		snapshotcmd.NewSnapshots(a), snapshotcmd.NewShow(a), snapshotcmd.NewLs(a), snapshotcmd.NewCat(a), snapshotcmd.NewVerify(a), snapshotcmd.NewForget(a), snapshotcmd.NewPrune(a), snapshotcmd.NewCopy(a),
		stagecmd.NewStages(a), stagecmd.NewSchema(a), plugincmd.NewPlugin(a), snapshotcmd.NewKey(a), democmd.New(a), moodlecmd.New(a), newVersion(a),
	)
	return root
}

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/viper"
	"golang.org/x/term"

	"github.com/lmsvault/vault/builtin"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/host"
)

// app is what the commands share.
type app struct {
	in, out, errs *os.File
	started       bool // the command line was understood
	settings      *viper.Viper
	stages        *stage.Registry
	log           *slog.Logger
	want          stage.Choice          // the snapshots that a repository command looks at
	signing       repository.SigningKey // of the pipeline that names its storage
	reporter      *progress.Stream      // what a run tells while it goes on; nil until setup
	bar           *progress.Terminal    // nil where there is none
	progress      []*muted              // where progress goes that may fail: standard error, a log file
	hidden        config.Redactor       // keeps secrets out of messages, logs and results
	events        *progress.JSON        // with --json, also where only an error is an event
	document      atomic.Bool           // standard output gets one JSON document: no event comes before it
	printed       atomic.Bool           // that document: nothing may follow
	result        any                   // of a run that failed, for the error event
	cancel        context.CancelCauseFunc
	ending        <-chan struct{} // closed when the command is asked to end
	workspace     *workspace      // nil until it is needed, as the next
	host          *host.Host      // of the stages that run in processes of their own
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "vault",
		Short: "Back up, restore and migrate Moodle sites, with proof",
		Long: `Vault backs up, restores and migrates Moodle sites: database, files and data root.
Pipeline files say what to do; every run proves what it did.

Exit codes: 0 done, 1 failed, 2 wrong usage or pipeline file, 3 refused by a
check before anything was changed, 4 the proof failed or more was lost than
accepted, 130 interrupted.

Settings of the tool: flags, else environment (LMSVAULT_WORKERS for --workers),
else the configuration file, else defaults.`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		Version:           version(),
		Args:              noCommand,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.setup(cmd) },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
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
		newInitRepository(a), newRun(a), newPlan(a), newLint(a),
		newSnapshots(a), newShow(a), newLs(a), newCat(a), newVerify(a), newForget(a), newPrune(a), newCopy(a),
		newStages(a), newSchema(a), newPlugin(a), newKey(a), newDemo(a), newVersion(a),
	)
	return root
}

// setup reads the settings and makes what depends on them.
func (a *app) setup(cmd *cobra.Command) error {
	a.started = true
	var err error
	if a.settings, err = loadSettings(cmd); err != nil {
		return failure.Wrap(failure.Usage, err)
	}
	if a.stages, err = builtin.Stages(); err != nil {
		return err
	}
	verbose, quiet, asJSON := a.flag("verbose"), a.flag("quiet"), a.flag("json")
	if err := errors.Join(verbose.err, quiet.err, asJSON.err, a.flag("no-color").err, a.flag("isolate").err); err != nil {
		return failure.Wrap(failure.Usage, err)
	}
	terminal := term.IsTerminal(int(a.errs.Fd()))
	options := &slog.HandlerOptions{Level: slog.LevelWarn}
	switch {
	case verbose.on:
		options.Level = slog.LevelDebug
	case quiet.on:
		options.Level = slog.LevelError
	}
	a.log = slog.New(slog.NewTextHandler(a.discreet(a.errs), options))
	var reporters []progress.Reporter
	switch {
	case asJSON.on:
		a.events = progress.NewJSON(heard{a.discreetJSON(a.out), a.cancel})
		reporters = append(reporters, eventsUnlessDocument{a})
		a.log = slog.New(slog.NewJSONHandler(a.discreetJSON(a.errs), options))
	case quiet.on:
	case terminal:
		a.bar = progress.NewTerminal(a.mute("standard error", a.discreet(a.errs)), a.width)
		reporters, a.log = append(reporters, a.bar), slog.New(slog.NewTextHandler(a.bar, options))
	default:
		reporters = append(reporters, progress.NewPlain(a.mute("standard error", a.discreet(a.errs))))
	}
	if verbose.on {
		a.logSettings(cmd)
		reporters = append(reporters, detailed{a.log})
	}
	if path := a.settings.GetString("log-file"); path != "" {
		file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY|syscall.O_NONBLOCK, 0o600) // a pipe that nobody reads is refused, not waited for
		if err != nil {
			return failure.New(failure.Usage, "--log-file: %w", err)
		}
		reporters = append(reporters, logFile{progress.NewJSON(a.mute(path, a.discreetJSON(file))), file})
	}
	a.reporter = progress.NewStream(reporters...)
	return nil
}

// width is the number of columns of the terminal.
func (a *app) width() int {
	if w, _, err := term.GetSize(int(a.errs.Fd())); err == nil && w > 0 {
		return w
	}
	return 80
}

// takes checks the number of arguments and names what is missing.
func takes(names ...string) cobra.PositionalArgs {
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
